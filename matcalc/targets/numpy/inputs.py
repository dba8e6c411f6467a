"""The function of a generated module that takes the inputs: checked, as matrices of one floating type, with sizes.

Matrices that fit are passed on at once; whatever else can be converted (lists, integers, 1-D arrays, mixed types) takes
the general way, which also writes the messages for what cannot.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from matcalc.core import exact_dim
from matcalc.dims import is_one
from matcalc.emit.code import number_code
from matcalc.emit.needed_sizes import Needed, code, statements
from matcalc.expr import Expr

NAME = "_inputs"
_GROUP = 4
_LINE = 120


class Inputs:
    """Text for the inputs of one program.

    Args:
        variables: in the order of the signature.
        tangents: for jvp and hvp the variable that holds the tangent of each name.
        cotangent: for vjp the variable that holds the cotangent.
        names: of variables in the code.
        dimensions: names of symbolic dimensions in the code.
        shapes: for variables whose derivatives take the form of the input, the name of that form.
        needed: the sizes that may not be 0.
    """

    def __init__(
        self,
        variables: list[Expr],
        tangents: Mapping[str, Expr],
        cotangent: Expr | None,
        names: Mapping[str, str],
        dimensions: Mapping[str, str],
        shapes: Mapping[str, str],
        needed: Sequence[Needed] = (),
    ) -> None:
        self.variables, self.tangents, self.cotangent = variables, tangents, cotangent
        self.names, self.dimensions, self.shapes, self.needed = names, dimensions, shapes, needed

    def call(self, body: str) -> tuple[str, list[str]]:
        """The statement that gets what `body` uses, and the lines of the function that it calls (without its head)."""
        extra = [*self.tangents.values(), *([] if self.cotangent is None else [self.cotangent])]
        arrays = [self._name(v) for v in (*self.variables, *extra)]
        wanted = [*arrays, *self.dimensions.values(), *self.shapes.values(), "dtype"]
        used = set(re.findall(r"\w+", body))
        found = [name for name in wanted if name in used]
        parameters = ", ".join(self._parameters())
        returned = ", ".join(found) or "None"
        checks = statements(self.needed, self.dimensions)
        positive = [code(size, self.dimensions) for n in self.needed for _, size in n.sizes]
        lines = self._quick(found, returned, positive)
        lines += self._general(found)
        read = set(re.findall(r"\w+", " ".join([*found, *positive])))
        sizes = [f"{name} = _size(dims, {_quoted(d)})" for d, name in self.dimensions.items() if name in read]
        lines += [*sizes, *checks, f"return {returned}"]
        call = f"{NAME}({parameters})"
        return (f"{', '.join(found)} = {call}" if found else call), lines

    def signature(self) -> str:
        """The parameters of the function."""
        return ", ".join(self._parameters())

    def _parameters(self) -> list[str]:
        given = ["tangents"] if self.tangents else ["cotangent"] if self.cotangent is not None else []
        return [*(self._name(v) for v in self.variables), *given, "dims"]

    def _name(self, v: Expr) -> str:
        return self.names[v.params[0]]

    def _forms(self, found: list[str]) -> list[str]:
        """The forms that derivatives take."""
        shapes = ((self._name(v), self.shapes.get(v.params[0])) for v in self.variables)
        return [f"{shape} = np.shape({name})" for name, shape in shapes if shape in found]

    # ------------------------------------------------------------------------------------------------ the quick way

    def _quick(self, found: list[str], returned: str, positive: list[str]) -> list[str]:
        """Arrays of one type that fit each other are returned as they are, those with one axis as columns and rows."""
        extra = [*self.tangents.values(), *([] if self.cotangent is None else [self.cotangent])]
        given = [*self.variables, *extra]
        arrays = [v for v in given if not v.is_scalar]
        scalars = [self._name(v) for v in given if v.is_scalar]
        simple = all(isinstance(d, int) or d.is_Symbol for v in arrays for d in v.shape)
        if not arrays or not simple:
            return []
        if not all(d in {str(s) for v in arrays for s in v.shape} for d in self.dimensions):
            return []
        names = [self._name(v) for v in arrays]
        tests = [f"type({name}) is float" for name in scalars]
        tests += [f"{' is '.join(f'type({name})' for name in part)} is np.ndarray" for part in _parts(names)]
        tests += [f"{' is '.join(f'{name}.dtype' for name in part)}" for part in _parts(names) if len(part) > 1]
        tests.append(f'{names[0]}.dtype.kind == "f"')
        lines, measured, conditions = self._measured(arrays)
        flat = [f"{name}.ndim == 2" for name in measured]
        vectors = self._vectors(arrays, found)
        convert = [f"dtype = {names[0]}.dtype"] if "dtype" in found or scalars else []
        convert += [f"{name} = dtype.type({name})" for name in scalars]
        convert += [f"{self.shapes[v.params[0]]} = ()" for v in given if v.is_scalar and self._shape_name(v) in found]
        last = _nested([lines, [*conditions, *positive], [*convert, f"return {returned}"]])
        inner = _nested([vectors, flat, last]) if vectors else last
        outer = tests if vectors else [*tests, *flat]
        if not self.tangents:
            taken = [] if self.cotangent is None else [f"{self._name(self.cotangent)} = cotangent"]
            return _nested([taken, ["dims is None", *outer], inner])
        keys = ", ".join(map(_quoted, self.tangents))
        taken = [f"{self._name(t)} = tangents[{_quoted(name)}]" for name, t in self.tangents.items()]
        dicts = ["dims is None", "type(tangents) is dict", f"tangents.keys() == {{{keys}}}"]
        return _nested([[], dicts, _nested([taken, outer, inner])])

    def _shape_name(self, v: Expr) -> str | None:
        return self.shapes.get(v.params[0])

    def _vectors(self, arrays: list[Expr], found: list[str]) -> list[str]:
        """The forms that derivatives take; arrays with one axis become columns and rows."""
        lines = []
        for v in arrays:
            name, shape = self._name(v), self._shape_name(v)
            if shape in found:
                lines.append(f"{shape} = {name}.shape")
            if any(map(is_one, v.shape)):
                form = "[:, None]" if is_one(v.shape[1]) else "[None, :]"
                lines += [f"if {name}.ndim == 1:", f"    {name} = {name}{form}"]
        return lines

    def _measured(self, arrays: list[Expr]) -> tuple[list[str], list[str], list[str]]:
        """Lines that take the sizes from arrays, the names of these, and conditions on the others."""
        lines, conditions = [], []
        known: dict[str, str] = {}
        measured: list[str] = []
        for v in arrays:
            fresh = [str(d) for d in v.shape if not isinstance(d, int) and str(d) not in known]
            if len(fresh) == 2 and fresh[0] != fresh[1]:
                known |= {d: self.dimensions[d] for d in fresh}
                lines.append(f"{known[fresh[0]]}, {known[fresh[1]]} = {self._name(v)}.shape")
                measured.append(self._name(v))
                continue
            for axis, d in enumerate(v.shape):
                if str(d) in fresh and str(d) not in known:
                    known[str(d)] = self.dimensions[str(d)]
                    lines.append(f"{known[str(d)]} = {self._name(v)}.shape[{axis}]")
                    measured = [*(name for name in measured if name != self._name(v)), self._name(v)]
            sizes = [str(d) if isinstance(d, int) else known[str(d)] for d in v.shape]
            conditions.append(f"{self._name(v)}.shape == ({', '.join(sizes)})")
        return lines, measured, conditions

    # ------------------------------------------------------------------------------------------------ the general way

    def _general(self, found: list[str]) -> list[str]:
        lines = []
        names = [self._name(v) for v in self.variables]
        if self.tangents:
            targets = [self._name(t) for t in self.tangents.values()]
            left = ", ".join(targets) if len(targets) > 1 else f"({targets[0]},)"
            lines.append(f'{left} = _given("tangents", tangents, [{", ".join(map(_quoted, self.tangents))}])')
        lines.append(f"dtype = _dtype({', '.join(f'{n}={n}' for n in names)})" if names else "dtype = np.dtype(float)")
        lines += self._forms(found)
        lines.append("dims = _sizes(dims)")
        ordered = sorted(self.variables, key=_is_compound)
        plain = {str(d) for v in ordered for d in v.shape if not isinstance(d, int) and d.is_Symbol}
        for v in ordered:
            name = self._name(v)
            for axis, d in enumerate(v.shape):
                lines += self._solved(d, f"np.shape({name})[{axis}]", plain)
            lines.append(f"{name} = _matrix({_quoted(v.params[0])}, {name}, {self._shape(v)}, dims, dtype)")
        for wrt, t in self.tangents.items():
            name = self._name(t)
            known = {d: f"dims[{_quoted(d)}]" for d in self.dimensions}
            size = ", ".join(number_code(exact_dim(d), known)[0] for d in t.shape)
            zero = "dtype.type(0)" if t.is_scalar else f"np.zeros(({size}), dtype=dtype)"
            given = f"_matrix(\"tangents['{wrt}']\", {name}, {self._shape(t)}, dims, dtype)"
            lines += [f"if {name} is None:", f"    {name} = {zero}", "else:", f"    {name} = {given}"]
        if self.cotangent is not None:
            name = self._name(self.cotangent)
            lines.append(f'{name} = _matrix("cotangent", cotangent, {self._shape(self.cotangent)}, dims, dtype)')
        return lines

    def _solved(self, d: Any, size: str, plain: set[str]) -> list[str]:
        """A line that finds the one symbol of a compound dimension that no plain dimension gives."""
        if isinstance(d, int) or d.is_Symbol:
            return []
        d = sp.sympify(d)
        unknown = [s for s in d.free_symbols if s.name not in plain]
        if len(unknown) != 1 or sp.degree(d, unknown[0]) != 1 or not d.coeff(unknown[0], 1).is_Integer:
            return []
        s = unknown[0]
        plain.add(s.name)
        names = {k: f"dims[{_quoted(k)}]" for k in self.dimensions}
        rest, slope = d.coeff(s, 0), d.coeff(s, 1)
        offset = "" if rest == 0 else f" - ({number_code(rest, names)[0]})"
        value = f"({size}{offset}) // {slope}" if offset or slope != 1 else size
        return [f"dims.setdefault({_quoted(s.name)}, {value})"]

    def _shape(self, v: Expr) -> str:
        return f"({self._dim(v.shape[0])}, {self._dim(v.shape[1])})"

    def _dim(self, d: Any) -> str:
        if isinstance(d, int):
            return str(d)
        if d.is_Symbol:
            return _quoted(d.name)
        text = number_code(exact_dim(d), {k: f"d[{_quoted(k)}]" for k in self.dimensions})[0]
        return f"({_quoted(str(d))}, lambda d: {text})"


def _parts(names: list[str]) -> list[list[str]]:
    """The names in groups that overlap in the first, for comparisons in chains that fit on a line."""
    rest = names[1:]
    return [[names[0], *rest[k : k + _GROUP]] for k in range(0, max(len(rest), 1), _GROUP)]


def _condition(tests: list[str], indent: int) -> list[str]:
    """`if` with these tests, on several lines where they are long."""
    text = f"if {' and '.join(tests)}:"
    if indent + len(text) <= _LINE:
        return [text]
    return ["if (", f"    {tests[0]}", *(f"    and {t}" for t in tests[1:]), "):"]


def _nested(parts: list[list[str]]) -> list[str]:
    """Lines, a condition (if there are tests) and the lines that it guards."""
    before, tests, inside = parts
    if not tests:
        return [*before, *inside]
    return [*before, *_condition(tests, 8), *(f"    {line}" for line in inside)]


def _is_compound(v: Expr) -> bool:
    return any(not isinstance(d, int) and not d.is_Symbol for d in v.shape)


def _quoted(name: str) -> str:
    return f'"{name}"'

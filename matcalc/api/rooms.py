"""What derivations call of other rooms: each room is imported when something in it is called first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matcalc.optional import later

if TYPE_CHECKING:
    from matcalc.calculus.jacobian import hessian_by, jacobian_by
    from matcalc.claims.claim import judged, judged_values
    from matcalc.claims.lines import judged_lines
    from matcalc.claims.tutor import tutored
    from matcalc.curvature.curvature import curvature_of
    from matcalc.curvature.definiteness import definiteness
    from matcalc.explore.widget import explorer
    from matcalc.export.note import export, lesson
    from matcalc.export.optimum import export_optimum
    from matcalc.export.picture_svg import graph_svg
    from matcalc.functions.against import checked_against, with_constants
    from matcalc.functions.certificate import checked
    from matcalc.functions.request import function, module, module_file
    from matcalc.functions.spread import objective_of
    from matcalc.indices.shown import beneath_liftings
    from matcalc.numeric.binding import bind
    from matcalc.numeric.evaluate import evaluate
    from matcalc.optimum.loops import optimum_of_loops
    from matcalc.optimum.optimum import optimum_of
else:
    hessian_by, jacobian_by = later("matcalc.calculus.jacobian", "hessian_by", "jacobian_by")
    judged, judged_values = later("matcalc.claims.claim", "judged", "judged_values")
    (judged_lines,) = later("matcalc.claims.lines", "judged_lines")
    (tutored,) = later("matcalc.claims.tutor", "tutored")
    (curvature_of,) = later("matcalc.curvature.curvature", "curvature_of")
    (definiteness,) = later("matcalc.curvature.definiteness", "definiteness")
    (explorer,) = later("matcalc.explore.widget", "explorer")
    export, lesson = later("matcalc.export.note", "export", "lesson")
    (export_optimum,) = later("matcalc.export.optimum", "export_optimum")
    (graph_svg,) = later("matcalc.export.picture_svg", "graph_svg")
    checked_against, with_constants = later("matcalc.functions.against", "checked_against", "with_constants")
    (checked,) = later("matcalc.functions.certificate", "checked")
    function, module, module_file = later("matcalc.functions.request", "function", "module", "module_file")
    (objective_of,) = later("matcalc.functions.spread", "objective_of")
    (beneath_liftings,) = later("matcalc.indices.shown", "beneath_liftings")
    (bind,) = later("matcalc.numeric.binding", "bind")
    (evaluate,) = later("matcalc.numeric.evaluate", "evaluate")
    (optimum_of,) = later("matcalc.optimum.optimum", "optimum_of")
    (optimum_of_loops,) = later("matcalc.optimum.loops", "optimum_of_loops")

__all__ = [
    "beneath_liftings",
    "bind",
    "checked",
    "checked_against",
    "curvature_of",
    "definiteness",
    "evaluate",
    "explorer",
    "export",
    "export_optimum",
    "function",
    "graph_svg",
    "hessian_by",
    "jacobian_by",
    "judged",
    "judged_lines",
    "judged_values",
    "lesson",
    "module",
    "module_file",
    "objective_of",
    "optimum_of",
    "optimum_of_loops",
    "tutored",
    "with_constants",
]

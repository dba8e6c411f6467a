/* Calls compiled functions from Python: one type, whose objects take arrays that fit as they are.
 *
 * What does not fit (lists, integers, other types and orders, wrong shapes, sizes of 0, singular matrices) goes to the
 * function in Python, which converts, says what is wrong, and raises errors.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define NPY_TARGET_VERSION NPY_1_22_API_VERSION
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

enum { MOST = 256 };

/* Memory of large results. What is given back by an array that dies is kept for the next result of about that size, up
 * to a limit, so that the system need not clear fresh pages in every call. */
typedef struct {
    size_t size; /* of the entries, in bytes */
    char unused[64 - sizeof(size_t)];
    char entries[];
} Block;
enum { SLOTS = 32 };
static const size_t LARGE = (size_t)1 << 16, KEPT = (size_t)1 << 26, HUGE_PAGES = (size_t)1 << 22;
static _Atomic(Block *) slot[SLOTS];
static atomic_size_t held; /* the bytes in the slots */

static atomic_uint oldest;

/* What a slot has, which is empty then. */
static Block *drawn(unsigned k)
{
    Block *block = atomic_exchange(&slot[k], NULL);
    if (block != NULL)
        atomic_fetch_sub(&held, block->size);
    return block;
}

/* Keep a block; what has been kept for long makes room. */
static void put(Block *block)
{
    if (block->size > KEPT) {
        free(block);
        return;
    }
    atomic_fetch_add(&held, block->size);
    for (int tries = 0; tries < SLOTS; tries++) {
        for (int k = 0; k < SLOTS && atomic_load(&held) <= KEPT; k++) {
            Block *none = NULL;
            if (atomic_compare_exchange_strong(&slot[k], &none, block))
                return;
        }
        free(drawn(atomic_fetch_add(&oldest, 1) % SLOTS));
    }
    atomic_fetch_sub(&held, block->size);
    free(block);
}

static void *block_new(void *context, size_t size)
{
    (void)context;
    for (unsigned k = 0; k < SLOTS; k++) {
        if (atomic_load(&slot[k]) == NULL)
            continue;
        Block *block = drawn(k);
        if (block != NULL && block->size >= size && block->size - size <= size / 8)
            return block->entries;
        if (block != NULL)
            put(block);
    }
    const size_t page = size < HUGE_PAGES ? 64 : (size_t)1 << 21;
    if (size > PTRDIFF_MAX - sizeof(Block) - page)
        return NULL;
    const size_t whole = (sizeof(Block) + size + page - 1) / page * page;
    Block *block = aligned_alloc(page, whole);
    if (block == NULL)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (size >= HUGE_PAGES)
        madvise(block, whole, MADV_HUGEPAGE);
#endif
    block->size = size;
    return block->entries;
}

static Block *block_of(void *entries)
{
    return (Block *)((char *)entries - offsetof(Block, entries));
}

static void block_free(void *context, void *entries, size_t size)
{
    (void)context;
    (void)size;
    if (entries != NULL)
        put(block_of(entries));
}

static void *block_zeros(void *context, size_t count, size_t size)
{
    void *entries = size != 0 && count > PTRDIFF_MAX / size ? NULL : block_new(context, count * size);
    return entries == NULL ? NULL : memset(entries, 0, count * size);
}

static void *block_resized(void *context, void *entries, size_t size)
{
    if (entries != NULL && block_of(entries)->size >= size)
        return entries;
    void *other = block_new(context, size);
    if (other != NULL && entries != NULL) {
        memcpy(other, entries, block_of(entries)->size);
        put(block_of(entries));
    }
    return other;
}

static PyDataMem_Handler blocks = {"matcalc_native", 1, {NULL, block_new, block_zeros, block_resized, block_free}};
static PyObject *handler;

/* A new array; a large one in memory of the blocks. */
static PyObject *fresh(int axes, npy_intp *shape, int type)
{
    const size_t size = (size_t)shape[0] * (axes > 1 ? (size_t)shape[1] : 1) * (type == NPY_DOUBLE ? 8 : 4);
    if (size < LARGE)
        return PyArray_SimpleNew(axes, shape, type);
    PyObject *before = PyDataMem_SetHandler(handler);
    if (before == NULL)
        return NULL;
    PyObject *array = PyArray_SimpleNew(axes, shape, type);
    PyObject *ours = PyDataMem_SetHandler(before);
    Py_DECREF(before);
    if (ours == NULL)
        Py_CLEAR(array);
    Py_XDECREF(ours);
    return array;
}

typedef int (*Entry)(const int *sizes, const void *const *given, void *const *taken, void *outside);
typedef int (*Shapes)(const int *sizes, long long *shapes);

/* Where an input is found: the place of its parameter, and its name where that is a dict, its dimensions: the number of
 * a size, or a fixed one as -1 - size. */
typedef struct {
    int place, scalar, dims[2];
    PyObject *key;
} Input;

/* A result: its form is that of an input from 0 on, or one of the negative numbers. */
enum { MATRIX = -1, NUMBER = -2, ZEROS = -3 };

typedef struct {
    int form;
    PyObject *key; /* its name in the dict, or NULL for what stands alone */
} Result;

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *dict, *weak, *general, *parameters;
    Entry entry[2]; /* for double and for float */
    void *outside[2]; /* what they ask for values in Python */
    Shapes shapes;
    int inputs, results, sizes, keyed, along, buffers;
    Input input[MOST];
    Result result[MOST];
} Function;

/* The arguments by the places of their parameters; 0 where the call is not of names alone, or has unknown ones. */
static int matched(Function *f, PyObject *const *args, PyObject *names, PyObject **found)
{
    const Py_ssize_t known = PyTuple_GET_SIZE(f->parameters);
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(names); k++) {
        PyObject *name = PyTuple_GET_ITEM(names, k);
        Py_ssize_t place = k;
        if (k >= known || PyTuple_GET_ITEM(f->parameters, k) != name)
            for (place = 0; place < known && PyTuple_GET_ITEM(f->parameters, place) != name; place++)
                ;
        if (place == known)
            for (place = 0; place < known && PyUnicode_Compare(PyTuple_GET_ITEM(f->parameters, place), name); place++)
                ;
        if (place == known)
            return 0;
        found[place] = args[k];
    }
    const Py_ssize_t dims = known - 1 - f->buffers; /* after the inputs; then what the results are written to */
    for (Py_ssize_t k = 0; k < dims; k++)
        if (found[k] == NULL)
            return 0;
    return found[dims] == NULL || found[dims] == Py_None;
}

/* The pointers to the inputs' entries and the sizes; the number of the type, or -1 where something does not fit. */
static int taken(Function *f, PyObject **found, const void **given, size_t *bytes, int *sizes, double *numbers,
                 float *narrow, int *axes)
{
    int type = -1, scalars = 0;
    for (int k = 0; k < f->inputs; k++) {
        const Input *input = &f->input[k];
        PyObject *object = found[input->place];
        if (input->key != NULL) {
            if (!PyDict_CheckExact(object) || PyDict_GET_SIZE(object) != f->along)
                return -1;
            object = PyDict_GetItemWithError(object, input->key);
            if (object == NULL) {
                PyErr_Clear();
                return -1;
            }
        }
        if (input->scalar) {
            if (!PyFloat_CheckExact(object))
                return -1;
            numbers[k] = PyFloat_AS_DOUBLE(object);
            narrow[k] = (float)numbers[k];
            axes[k] = 0;
            bytes[k] = 0;
            scalars = 1;
            continue;
        }
        if (!PyArray_CheckExact(object))
            return -1;
        PyArrayObject *array = (PyArrayObject *)object;
        const int number = PyArray_TYPE(array) == NPY_DOUBLE ? 0 : PyArray_TYPE(array) == NPY_FLOAT ? 1 : -1;
        if (number < 0 || (type >= 0 && number != type) || !PyArray_ISCARRAY_RO(array))
            return -1;
        type = number;
        axes[k] = PyArray_NDIM(array);
        npy_intp shape[2];
        if (axes[k] == 2) {
            shape[0] = PyArray_DIM(array, 0);
            shape[1] = PyArray_DIM(array, 1);
        } else if (axes[k] == 1 && input->dims[1] == -2) {
            shape[0] = PyArray_DIM(array, 0);
            shape[1] = 1;
        } else if (axes[k] == 1 && input->dims[0] == -2) {
            shape[0] = 1;
            shape[1] = PyArray_DIM(array, 0);
        } else
            return -1;
        for (int axis = 0; axis < 2; axis++) {
            const int d = input->dims[axis];
            if (shape[axis] < 1 || shape[axis] > INT_MAX || (d < 0 && shape[axis] != -1 - d))
                return -1;
            if (d >= 0 && sizes[d] < 0)
                sizes[d] = (int)shape[axis];
            else if (d >= 0 && sizes[d] != shape[axis])
                return -1;
        }
        given[k] = PyArray_DATA(array);
        bytes[k] = (size_t)PyArray_NBYTES(array);
    }
    if (type < 0 || f->entry[type] == NULL)
        return -1;
    for (int k = 0; scalars && k < f->inputs; k++)
        if (f->input[k].scalar)
            given[k] = type == 0 ? (const void *)&numbers[k] : (const void *)&narrow[k];
    return type;
}

/* Whether an object is memory for a result: an array of its type and shape that can be written to as it lies. */
static int fits(PyObject *object, int axes, const npy_intp *shape, int type)
{
    if (!PyArray_CheckExact(object))
        return 0;
    PyArrayObject *array = (PyArrayObject *)object;
    if (PyArray_TYPE(array) != (type == 0 ? NPY_DOUBLE : NPY_FLOAT) || !PyArray_ISCARRAY(array) ||
        PyArray_NDIM(array) != axes)
        return 0;
    for (int axis = 0; axis < axes; axis++)
        if (PyArray_DIM(array, axis) != shape[axis])
            return 0;
    return 1;
}

static int overlap(const void *a, size_t length, const void *b, size_t other)
{
    return (const char *)a < (const char *)b + other && (const char *)b < (const char *)a + length;
}

/* Whether the memory that is given for a result is that of an input or of an earlier result too. */
static int shared(Function *f, int k, PyObject **arrays, const void **given, const size_t *bytes)
{
    PyArrayObject *array = (PyArrayObject *)arrays[k];
    const size_t length = (size_t)PyArray_NBYTES(array);
    for (int j = 0; j < f->inputs; j++)
        if (overlap(PyArray_DATA(array), length, given[j], bytes[j]))
            return 1;
    for (int j = 0; j < k; j++)
        if (arrays[j] != NULL && overlap(PyArray_DATA(array), length, PyArray_DATA((PyArrayObject *)arrays[j]),
                                         (size_t)PyArray_NBYTES((PyArrayObject *)arrays[j])))
            return 1;
    return 0;
}

/* A result as it is returned. */
static PyObject *formed(const Result *result, PyObject *array, const void *number, int type)
{
    if (array == NULL)
        return PyFloat_FromDouble(type == 0 ? *(const double *)number : (double)*(const float *)number);
    Py_INCREF(array);
    return array;
}

/* The quick way; NULL without an error where it cannot be taken. */
static PyObject *quick(Function *f, PyObject **found)
{
    const void *given[MOST];
    void *pointers[MOST];
    double numbers[MOST], values[MOST];
    float narrow[MOST];
    int sizes[MOST], axes[MOST];
    size_t bytes[MOST];
    long long shapes[2 * MOST];
    PyObject *arrays[MOST] = {0}, *returned = NULL, *dict = NULL;
    PyObject *out = f->buffers ? found[PyTuple_GET_SIZE(f->parameters) - 1] : NULL;
    char into[MOST] = {0};
    Py_ssize_t used = 0;

    out = out == Py_None ? NULL : out;
    if (out != NULL && f->keyed && !PyDict_CheckExact(out))
        return NULL;

    for (int k = 0; k < f->sizes; k++)
        sizes[k] = -1;
    const int type = taken(f, found, given, bytes, sizes, numbers, narrow, axes);
    if (type < 0)
        return NULL;
    f->shapes(sizes, shapes);
    for (int k = 0; k < f->results; k++) {
        const int form = f->result[k].form;
        PyObject *buffer = out;
        if (out != NULL && f->keyed)
            buffer = f->result[k].key == NULL ? NULL : PyDict_GetItemWithError(out, f->result[k].key);
        if (buffer == NULL && PyErr_Occurred())
            goto done;
        pointers[k] = &values[k];
        if (form == NUMBER || (form >= 0 && axes[form] == 0)) {
            if (buffer != NULL)
                goto done;
            continue;
        }
        npy_intp shape[2] = {(npy_intp)shapes[2 * k], (npy_intp)shapes[2 * k + 1]};
        const int one = form >= 0 && axes[form] == 1;
        if (one)
            shape[0] *= shape[1];
        if (buffer != NULL) {
            if (!fits(buffer, one ? 1 : 2, shape, type))
                goto done;
            Py_INCREF(buffer);
            arrays[k] = buffer;
            pointers[k] = PyArray_DATA((PyArrayObject *)buffer);
            into[k] = 1;
            used++;
            continue;
        }
        arrays[k] = form == ZEROS ? PyArray_ZEROS(2, shape, type == 0 ? NPY_DOUBLE : NPY_FLOAT, 0)
                                  : fresh(one ? 1 : 2, shape, type == 0 ? NPY_DOUBLE : NPY_FLOAT);
        if (arrays[k] == NULL)
            goto done;
        pointers[k] = PyArray_DATA((PyArrayObject *)arrays[k]);
    }
    if (out != NULL) {
        if (f->keyed && used != PyDict_GET_SIZE(out))
            goto done;
        for (int k = 0; k < f->results; k++)
            if (into[k] && shared(f, k, arrays, given, bytes))
                goto done;
        for (int k = 0; k < f->results; k++)
            if (into[k] && f->result[k].form == ZEROS)
                memset(pointers[k], 0, (size_t)PyArray_NBYTES((PyArrayObject *)arrays[k]));
    }
    int status;
    Py_BEGIN_ALLOW_THREADS
    status = f->entry[type](sizes, given, pointers, f->outside[type]);
    Py_END_ALLOW_THREADS
    if (status != 0)
        goto done;
    if (f->keyed) {
        dict = PyDict_New();
        if (dict == NULL)
            goto done;
    }
    for (int k = 0; k < f->results; k++) {
        PyObject *part = formed(&f->result[k], arrays[k], pointers[k], type);
        if (part == NULL)
            goto done;
        if (f->result[k].key == NULL) {
            returned = part;
            continue;
        }
        const int failed = PyDict_SetItem(dict, f->result[k].key, part);
        Py_DECREF(part);
        if (failed)
            goto done;
    }
    if (dict != NULL && returned != NULL) {
        PyObject *both = PyTuple_Pack(2, returned, dict);
        Py_CLEAR(returned);
        Py_CLEAR(dict);
        returned = both;
    } else if (dict != NULL) {
        returned = dict;
        dict = NULL;
    }
    for (int k = 0; k < f->results; k++)
        Py_XDECREF(arrays[k]);
    return returned;
done:
    for (int k = 0; k < f->results; k++)
        Py_XDECREF(arrays[k]);
    Py_XDECREF(returned);
    Py_XDECREF(dict);
    return NULL;
}

static PyObject *call(PyObject *self, PyObject *const *args, size_t count, PyObject *names)
{
    Function *f = (Function *)self;
    PyObject *found[MOST] = {0};
    if (PyVectorcall_NARGS(count) == 0 && names != NULL && matched(f, args, names, found)) {
        PyObject *result = quick(f, found);
        if (result != NULL || PyErr_Occurred())
            return result;
    }
    return PyObject_Vectorcall(f->general, args, count, names);
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    Function *f = (Function *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(f->general);
    Py_VISIT(f->dict);
    return 0;
}

static int clear(PyObject *self)
{
    Function *f = (Function *)self;
    Py_CLEAR(f->general);
    Py_CLEAR(f->dict);
    return 0;
}

static void dealloc(PyObject *self)
{
    Function *f = (Function *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (f->weak != NULL)
        PyObject_ClearWeakRefs(self);
    clear(self);
    Py_CLEAR(f->parameters);
    for (int k = 0; k < f->inputs; k++)
        Py_CLEAR(f->input[k].key);
    for (int k = 0; k < f->results; k++)
        Py_CLEAR(f->result[k].key);
    type->tp_free(self);
    Py_DECREF(type);
}

/* Function(general, parameters, inputs, results, sizes, buffers, entry, shapes, outside): the inputs as (place, key or
 * None, scalar, rows, columns), the results as (key or None, form). */
static PyObject *made(PyTypeObject *type, PyObject *args, PyObject *words)
{
    PyObject *general, *parameters, *inputs, *results;
    int sizes, buffers;
    unsigned long long entry, shapes, outside;
    if (!PyArg_ParseTuple(args, "OO!O!O!iiKKK", &general, &PyTuple_Type, &parameters, &PyTuple_Type, &inputs,
                          &PyTuple_Type, &results, &sizes, &buffers, &entry, &shapes, &outside))
        return NULL;
    if (PyTuple_GET_SIZE(parameters) > MOST || PyTuple_GET_SIZE(inputs) > MOST || PyTuple_GET_SIZE(results) > MOST ||
        sizes > MOST) {
        PyErr_SetString(PyExc_OverflowError, "too many parameters");
        return NULL;
    }
    Function *f = (Function *)type->tp_alloc(type, 0);
    if (f == NULL)
        return NULL;
    f->call = call;
    Py_INCREF(general);
    f->general = general;
    Py_INCREF(parameters);
    f->parameters = parameters;
    f->sizes = sizes;
    f->buffers = buffers;
    f->entry[0] = (Entry)(uintptr_t)entry;
    f->outside[0] = (void *)(uintptr_t)outside;
    f->shapes = (Shapes)(uintptr_t)shapes;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(inputs); k++) {
        Input *input = &f->input[f->inputs];
        PyObject *key;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(inputs, k), "iOiii", &input->place, &key, &input->scalar,
                              &input->dims[0], &input->dims[1])) {
            Py_DECREF(f);
            return NULL;
        }
        input->key = key == Py_None ? NULL : key;
        Py_XINCREF(input->key);
        f->along += input->key != NULL;
        f->inputs++;
    }
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(results); k++) {
        Result *result = &f->result[f->results];
        PyObject *key;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(results, k), "Oi", &key, &result->form)) {
            Py_DECREF(f);
            return NULL;
        }
        result->key = key == Py_None ? NULL : key;
        Py_XINCREF(result->key);
        f->keyed += result->key != NULL;
        f->results++;
    }
    return (PyObject *)f;
}

static PyObject *single(PyObject *self, PyObject *args)
{
    unsigned long long entry, outside;
    if (!PyArg_ParseTuple(args, "KK", &entry, &outside))
        return NULL;
    ((Function *)self)->outside[1] = (void *)(uintptr_t)outside;
    ((Function *)self)->entry[1] = (Entry)(uintptr_t)entry;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"_single", single, METH_VARARGS, "Give the function of float32 by addresses."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Function, call), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Function, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Function, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef computed[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_new, made},         {Py_tp_dealloc, dealloc}, {Py_tp_traverse, traverse}, {Py_tp_clear, clear},
    {Py_tp_call, PyVectorcall_Call}, {Py_tp_methods, methods}, {Py_tp_members, members}, {Py_tp_getset, computed},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "matcalc_native.Function",
    .basicsize = sizeof(Function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = slots,
};

static int filled(PyObject *module)
{
    import_array1(-1);
    if (handler == NULL)
        handler = PyCapsule_New(&blocks, "mem_handler", NULL);
    if (handler == NULL)
        return -1;
    PyObject *type = PyType_FromSpec(&spec);
    if (type == NULL)
        return -1;
    const int failed = PyModule_AddObjectRef(module, "Function", type);
    Py_DECREF(type);
    return failed;
}

static PyObject *release(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    for (unsigned k = 0; k < SLOTS; k++)
        free(drawn(k));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"release", release, METH_NOARGS, "Free the memory that is kept for results."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot parts[] = {{Py_mod_exec, filled}, {0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "matcalc_native", .m_size = 0,
                                    .m_methods = functions, .m_slots = parts};

PyMODINIT_FUNC PyInit_matcalc_native(void)
{
    return PyModuleDef_Init(&module);
}

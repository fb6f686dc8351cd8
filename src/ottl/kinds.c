/* Converters that ask for or change the type of a value. */
#include <string.h>

#include "function.h"
#include "util/hex.h"
#include "util/regex/regex.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* Asks for one type. */
#define IS(name, type_)                                                                            \
    CONVERTER(name)                                                                                \
    {                                                                                              \
        (void)run;                                                                                 \
        (void)call;                                                                                \
        *ret_value = hf_ottl_bool(arguments[0].type == (type_));                                   \
        return true;                                                                               \
    }

IS(is_string, HF_OTTL_STRING)
IS(is_bool, HF_OTTL_BOOL)
IS(is_double, HF_OTTL_DOUBLE)
IS(is_int, HF_OTTL_INT)
IS(is_map, HF_OTTL_MAP)
IS(is_list, HF_OTTL_LIST)

CONVERTER(is_empty)
{
    const struct hf_ottl_value *value = &arguments[0];
    bool empty = value->type == HF_OTTL_NIL;
    (void)run;
    (void)call;
    switch (value->type) {
    case HF_OTTL_STRING:
    case HF_OTTL_BYTES:
    case HF_OTTL_MAP:
    case HF_OTTL_LIST:
        empty = value->bytes.size == 0;
        break;
    case HF_OTTL_INT:
    case HF_OTTL_BOOL:
    case HF_OTTL_DURATION:
        empty = value->integer == 0;
        break;
    case HF_OTTL_DOUBLE:
        empty = value->real == 0;
        break;
    case HF_OTTL_OBJECTS:
        empty = hf_message_first(value->owner, value->number) == NULL;
        break;
    default:
        break;
    }
    *ret_value = hf_ottl_bool(empty);
    return true;
}

CONVERTER(is_match)
{
    bool found = false;
    if (arguments[0].type == HF_OTTL_NIL) {
        *ret_value = hf_ottl_bool(false);
        return true;
    }
    struct hf_regex *regex = hf_ottl_take_regex(run, call, 1, &arguments[1]);
    if (regex == NULL) {
        return false;
    }
    enum hf_status status = hf_regex_try(regex, arguments[0].bytes, &found);
    hf_ottl_put_regex(call, 1, regex);
    *ret_value = hf_ottl_bool(found);
    return status == HF_OK || hf_ottl_fail(run, "the pattern takes too many steps");
}

/* What the argument was made into is the result. */
CONVERTER(same)
{
    (void)run;
    (void)call;
    *ret_value = arguments[0];
    return true;
}

CONVERTER(to_hex)
{
    (void)call;
    char *room = hf_ottl_take(run, 2 * arguments[0].bytes.size + 1);
    if (room == NULL) {
        return false;
    }
    *ret_value = hf_ottl_string(hf_slice_of(room, hf_hex_write(arguments[0].bytes, room)));
    return true;
}

CONVERTER(length)
{
    const struct hf_ottl_value *value = &arguments[0];
    struct hf_any any;
    (void)call;
    if (value->type == HF_OTTL_STRING || value->type == HF_OTTL_BYTES) {
        *ret_value = hf_ottl_int((int64_t)value->bytes.size);
        return true;
    }
    if (value->type == HF_OTTL_OBJECTS) {
        *ret_value = hf_ottl_int((int64_t)hf_message_count(value->owner, value->number));
        return true;
    }
    if ((value->type != HF_OTTL_MAP && value->type != HF_OTTL_LIST) ||
        !hf_ottl_to_any(value, &any)) {
        return hf_ottl_fail(run, "target arg must be of type string, map or slice, not %s",
                            hf_ottl_type_name(value->type));
    }
    *ret_value = hf_ottl_int((int64_t)hf_any_count(&any));
    return true;
}

CONVERTER(is_root_span)
{
    struct hf_slice id = hf_message_bytes(run->place->item, 4);
    bool is_root = true;
    (void)call;
    (void)arguments;
    for (size_t i = 0; i < id.size; i++) {
        is_root &= id.data[i] == 0;
    }
    *ret_value = hf_ottl_bool(is_root);
    return true;
}

/* The first of the values that is not nil; those behind it are not asked for. */
CONVERTER(coalesce)
{
    const struct hf_ottl_node *list = call->nodes[0];
    (void)arguments;
    for (size_t i = 0; i < list->count; i++) {
        if (!hf_ottl_value_of(run, list->items[i], ret_value)) {
            return false;
        }
        if (ret_value->type != HF_OTTL_NIL) {
            return true;
        }
    }
    *ret_value = hf_ottl_nil();
    return true;
}

#define OF_ANY                                                                                     \
    {                                                                                              \
        {                                                                                          \
            "target", HF_ARG_ANY                                                                   \
        }                                                                                          \
    }

const struct hf_ottl_function hf_ottl_kinds[] = {
    {.name = "IsMatch",
     .arguments = {{"target", HF_ARG_STRING_LIKE}, {"pattern", HF_ARG_REGEX}},
     .run = is_match},
    {.name = "IsString", .arguments = OF_ANY, .run = is_string},
    {.name = "IsBool", .arguments = OF_ANY, .run = is_bool},
    {.name = "IsDouble", .arguments = OF_ANY, .run = is_double},
    {.name = "IsInt", .arguments = OF_ANY, .run = is_int},
    {.name = "IsMap", .arguments = OF_ANY, .run = is_map},
    {.name = "IsList", .arguments = OF_ANY, .run = is_list},
    {.name = "IsEmpty", .arguments = OF_ANY, .run = is_empty},
    {.name = "Int", .arguments = {{"target", HF_ARG_INT_LIKE}}, .run = same, .fails_early = true},
    {.name = "Double",
     .arguments = {{"target", HF_ARG_DOUBLE_LIKE}},
     .run = same,
     .fails_early = true},
    {.name = "Bool", .arguments = {{"target", HF_ARG_BOOL_LIKE}}, .run = same, .fails_early = true},
    {.name = "String", .arguments = {{"target", HF_ARG_STRING_LIKE}}, .run = same},
    {.name = "Hex", .arguments = {{"target", HF_ARG_BYTES_LIKE}}, .run = to_hex},
    {.name = "Len", .arguments = OF_ANY, .run = length},
    {.name = "Coalesce", .arguments = {{"values", HF_ARG_ANYS}}, .run = coalesce},
    {.name = "IsRootSpan",
     .arguments = {{NULL}},
     .run = is_root_span,
     .contexts = 1u << HF_PATH_SPAN | 1u << HF_PATH_SPANEVENT,
     .varies = true},
    {.name = NULL},
};

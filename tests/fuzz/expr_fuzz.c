/*
 * expr_fuzz: an expression, with variables as receiver_creator gives them to those of strangers.
 * Must reach: hf_expr_new() with all of the parser, hf_expr_eval() with every function but env(),
 * hf_expr_json_print() and hf_expr_json_read().
 *
 * A value prints as JSON, which reads again; an error has a reason.
 */
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"
#include "expr/value_json.h"

#define TEXT_MAX 512u
#define ARENA_BYTES ((size_t)1 << 20)

static void check_value(struct hf_arena *arena, const struct hf_expr_value *value)
{
    struct hf_expr_value again;
    struct hf_slice text = hf_expr_json_print(arena, value);
    size_t used = arena->size;
    if (text.data != NULL && !hf_expr_json_read(arena, text, true, &again) &&
        used + text.size < ARENA_BYTES / 2 && value->type < HF_EXPR_LIST) {
        abort();
    }
}

static void evaluate(const char *text, struct hf_arena *arena)
{
    static const char *const names[] = {"body", "attributes", HF_EXPR_LABELS, HF_EXPR_ENV, NULL};
    struct hf_expr_pair pairs[] = {{hf_slice_text("n"), hf_expr_integer(5)},
                                   {hf_slice_text("t"), hf_expr_text("a text")}};
    struct hf_expr_map map = {.pairs = pairs, .count = 2, .capacity = 2};
    const struct hf_expr_value mapped = {.type = HF_EXPR_MAP, .map = &map};
    const struct hf_expr_value values[] = {hf_expr_text("hello, world"), mapped, mapped, {0}};
    char why[HF_EXPR_ERROR_MAX] = "";
    struct hf_expr_value value;
    struct hf_expr *expr = NULL;
    enum hf_status status = hf_expr_new(text, names, &expr, why);
    if (status == HF_OK) {
        status = hf_expr_eval(expr, values, arena, &value, why);
    }
    if (status == HF_OK) {
        check_value(arena, &value);
    } else if (why[0] == '\0' && status == HF_INVALID) {
        abort();
    }
    hf_expr_free(expr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    struct hf_arena arena = {.limit = ARENA_BYTES};
    size = size < TEXT_MAX ? size : TEXT_MAX;
    memcpy(text, data, size);
    text[size] = '\0';
    evaluate(text, &arena);
    hf_arena_release(&arena);
    return 0;
}

#include "expr.h"

#include <stdio.h>
#include <stdlib.h>

#include "node.h"
#include "util/regex/regex.h"

#define ARENA_BYTES ((size_t)1 << 20)

enum hf_status hf_expr_new(const char *text, const char *const *names, struct hf_expr **ret_expr,
                           char *reterr)
{
    struct hf_expr *expr = calloc(1, sizeof(*expr));
    size_t at = 0;
    if (expr == NULL) {
        return HF_NOMEM;
    }
    expr->arena.limit = ARENA_BYTES;
    const char *wrong = expr_parse(expr, text, names, &at);
    if (wrong != NULL) {
        snprintf(reterr, HF_EXPR_ERROR_MAX, "%s (at character %zu of %.120s)", wrong, at + 1, text);
        hf_expr_free(expr);
        return HF_INVALID;
    }
    *ret_expr = expr;
    return HF_OK;
}

void hf_expr_free(struct hf_expr *expr)
{
    if (expr == NULL) {
        return;
    }
    for (struct node *node = expr->regexes; node != NULL; node = node->next_regex) {
        hf_regex_free(node->regex);
    }
    hf_arena_release(&expr->arena);
    free(expr);
}

enum hf_status hf_expr_eval(const struct hf_expr *expr, const struct hf_expr_value *variables,
                            struct hf_arena *arena, struct hf_expr_value *ret_value, char *reterr)
{
    struct scope scope = {.variables = variables, .arena = arena, .reterr = reterr};
    struct hf_expr_value value = expr_eval_node(&scope, expr->root);
    if (scope.status == HF_OK) {
        *ret_value = value;
    }
    return scope.status;
}

enum hf_status hf_expr_test(const struct hf_expr *expr, const struct hf_expr_value *variables,
                            struct hf_arena *arena, bool *ret_true, char *reterr)
{
    struct hf_expr_value value;
    enum hf_status status = hf_expr_eval(expr, variables, arena, &value, reterr);
    if (status == HF_OK && value.type != HF_EXPR_BOOL) {
        snprintf(reterr, HF_EXPR_ERROR_MAX, "the value of the expression is no boolean");
        status = HF_INVALID;
    }
    *ret_true = status == HF_OK && value.boolean;
    return status;
}

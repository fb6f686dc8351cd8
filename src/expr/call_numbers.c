/*
 * call_numbers: functions of numbers.
 */
#include <math.h>
#include <stdlib.h>

#include "call.h"

static const struct hf_expr_value nil;

struct hf_expr_value call_int(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    if (of.type == HF_EXPR_DOUBLE && fabs(of.number) < 9.2e18) {
        return hf_expr_integer((int64_t)of.number);
    }
    if (of.type == HF_EXPR_STRING) {
        struct hf_slice copy = expr_terminated(scope, of.text);
        char *end = NULL;
        long long value = copy.data != NULL ? strtoll((const char *)copy.data, &end, 10) : 0;
        return copy.size != 0 && *end == '\0' ? hf_expr_integer(value)
                                              : expr_fail(scope, "int needs a number");
    }
    return of.type == HF_EXPR_INT ? of : expr_fail(scope, "int needs a number");
}

struct hf_expr_value call_float(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    if (of.type == HF_EXPR_STRING) {
        struct hf_slice copy = expr_terminated(scope, of.text);
        char *end = NULL;
        double value = copy.data != NULL ? strtod((const char *)copy.data, &end) : 0;
        return copy.size != 0 && *end == '\0' ? hf_expr_number(value)
                                              : expr_fail(scope, "float needs a number");
    }
    return of.type == HF_EXPR_INT      ? hf_expr_number((double)of.integer)
           : of.type == HF_EXPR_DOUBLE ? of
                                       : expr_fail(scope, "float needs a number");
}

struct hf_expr_value call_abs(struct scope *scope, const struct node *node)
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    if (of.type == HF_EXPR_INT && of.integer != INT64_MIN) {
        return hf_expr_integer(of.integer < 0 ? -of.integer : of.integer);
    }
    return of.type == HF_EXPR_DOUBLE ? hf_expr_number(fabs(of.number))
                                     : expr_fail(scope, "abs needs a number");
}

static struct hf_expr_value rounded(struct scope *scope, const struct node *node,
                                    double (*change)(double))
{
    struct hf_expr_value of = expr_argument(scope, node, 0);
    return hf_expr_is_number(&of) ? hf_expr_number(change(hf_expr_number_of(&of)))
                                  : expr_fail(scope, "a function needs a number");
}

struct hf_expr_value call_ceil(struct scope *scope, const struct node *node)
{
    return rounded(scope, node, ceil);
}

struct hf_expr_value call_floor(struct scope *scope, const struct node *node)
{
    return rounded(scope, node, floor);
}

struct hf_expr_value call_round(struct scope *scope, const struct node *node)
{
    return rounded(scope, node, round);
}

/* ---- of many numbers: arguments, and the elements of lists among them ---- */

static bool add_numbers(struct scope *scope, struct hf_expr_list *all, struct hf_expr_value value,
                        unsigned depth)
{
    if (hf_expr_is_number(&value)) {
        return hf_expr_list_add(scope->arena, all, value) == HF_OK ||
               expr_no_memory(scope).type != HF_EXPR_NULL;
    }
    if (value.type != HF_EXPR_LIST || depth == HF_EXPR_DEPTH_MAX) {
        return expr_fail(scope, "a function needs numbers").type != HF_EXPR_NULL;
    }
    for (size_t i = 0; i < value.list->count; i++) {
        if (!add_numbers(scope, all, value.list->items[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

/* NULL: the evaluation failed. */
static struct hf_expr_list *numbers(struct scope *scope, const struct node *node)
{
    struct hf_expr_list *all = hf_expr_list_new(scope->arena, node->count + 4);
    if (all == NULL) {
        expr_no_memory(scope);
    }
    for (size_t i = 0; all != NULL && i < node->count; i++) {
        all = add_numbers(scope, all, expr_argument(scope, node, i), 0) ? all : NULL;
    }
    return all;
}

static struct hf_expr_value extreme(struct scope *scope, const struct node *node, int wanted)
{
    const struct hf_expr_list *all = numbers(scope, node);
    struct hf_expr_value best = nil;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        int sign = 0;
        if (best.type == HF_EXPR_NULL ||
            (hf_expr_value_order(&all->items[i], &best, &sign) && sign == wanted)) {
            best = all->items[i];
        }
    }
    return best;
}

struct hf_expr_value call_max(struct scope *scope, const struct node *node)
{
    return extreme(scope, node, 1);
}

struct hf_expr_value call_min(struct scope *scope, const struct node *node)
{
    return extreme(scope, node, -1);
}

struct hf_expr_value call_mean(struct scope *scope, const struct node *node)
{
    const struct hf_expr_list *all = numbers(scope, node);
    double sum = 0;
    for (size_t i = 0; all != NULL && i < all->count; i++) {
        sum += hf_expr_number_of(&all->items[i]);
    }
    return all == NULL ? nil : hf_expr_number(all->count != 0 ? sum / (double)all->count : 0);
}

struct hf_expr_value call_median(struct scope *scope, const struct node *node)
{
    struct hf_expr_list *all = numbers(scope, node);
    if (all == NULL || !expr_sort(scope, all->items, all->items, all->count, false)) {
        return nil;
    }
    size_t half = all->count / 2;
    double upper = all->count != 0 ? hf_expr_number_of(&all->items[half]) : 0;
    bool is_even = all->count != 0 && all->count % 2 == 0;
    return hf_expr_number(is_even ? (hf_expr_number_of(&all->items[half - 1]) + upper) / 2 : upper);
}

/* ---- bits ---- */

enum bits { BITS_AND, BITS_OR, BITS_XOR, BITS_NAND, BITS_LEFT, BITS_RIGHT, BITS_RIGHT_UNSIGNED };

static struct hf_expr_value bits(struct scope *scope, const struct node *node, enum bits how)
{
    int64_t a = 0, b = 0;
    if (!expr_int_argument(scope, node, 0, &a) || !expr_int_argument(scope, node, 1, &b)) {
        return nil;
    }
    if (how >= BITS_LEFT && b < 0) {
        return expr_fail(scope, "bits are shifted by a count that is not negative");
    }
    switch (how) {
    case BITS_AND:
        return hf_expr_integer(a & b);
    case BITS_OR:
        return hf_expr_integer(a | b);
    case BITS_XOR:
        return hf_expr_integer(a ^ b);
    case BITS_NAND:
        return hf_expr_integer(a & ~b);
    case BITS_LEFT:
        return hf_expr_integer(b < 64 ? (int64_t)((uint64_t)a << b) : 0);
    case BITS_RIGHT:
        return hf_expr_integer(a >> (b < 64 ? b : 63));
    default:
        return hf_expr_integer(b < 64 ? (int64_t)((uint64_t)a >> b) : 0);
    }
}

struct hf_expr_value call_bitnot(struct scope *scope, const struct node *node)
{
    int64_t a = 0;
    return expr_int_argument(scope, node, 0, &a) ? hf_expr_integer(~a) : nil;
}

struct hf_expr_value call_bitand(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_AND);
}

struct hf_expr_value call_bitor(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_OR);
}

struct hf_expr_value call_bitxor(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_XOR);
}

struct hf_expr_value call_bitnand(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_NAND);
}

struct hf_expr_value call_bitshl(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_LEFT);
}

struct hf_expr_value call_bitshr(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_RIGHT);
}

struct hf_expr_value call_bitushr(struct scope *scope, const struct node *node)
{
    return bits(scope, node, BITS_RIGHT_UNSIGNED);
}

/*
 * routes: operators that choose where an entry goes: router, filter and drop_output.
 */
#include <math.h>
#include <stdlib.h>

#include "operator.h"
#include "template.h"

#define ROUTES_MAX 64u

struct route {
    struct hf_expr *expr;
    int outputs[OUTPUTS_MAX];
    size_t output_count;
    struct hf_log_labels labels; /* attributes that it sets */
};

struct router_state {
    struct route routes[ROUTES_MAX];
    size_t count;
    struct route rest; /* where entries go that match nothing; no outputs: dropped */
};

static enum hf_status add_output(struct operator* operator, struct route * route,
                                 const struct hf_value *value, char *reterr)
{
    int found = value->string != NULL ? find_operator(operator->pipeline, value->string) : EMIT - 1;
    if (found < EMIT || route->output_count == OUTPUTS_MAX) {
        return invalid(reterr, "output: no operator has the id %.100s",
                       value->string != NULL ? value->string : "");
    }
    const char *id = operator->id;
    if (found <= find_operator(operator->pipeline, id)) {
        return invalid(reterr, "output: operators must not form a circle");
    }
    route->outputs[route->output_count++] = found;
    return HF_OK;
}

static enum hf_status add_outputs(struct operator* operator, struct route * route,
                                  const struct hf_value *value, char *reterr)
{
    enum hf_status status = HF_OK;
    if (value->type != HF_VALUE_LIST) {
        return add_output(operator, route, value, reterr);
    }
    for (size_t i = 0; i < value->count && status == HF_OK; i++) {
        status = add_output(operator, route, &value->items[i], reterr);
    }
    return status;
}

/* Texts, each with any number of EXPR(...). */
static enum hf_status add_labels(struct operator* operator, struct route * route,
                                 const struct hf_value *attributes, char *reterr)
{
    static const struct hf_string_map none;
    if (attributes == NULL) {
        return HF_OK;
    }
    struct hf_string_pair *pairs =
        hf_arena_take(operator->arena, (attributes->count + 1) * sizeof(*pairs));
    if (pairs == NULL) {
        return HF_NOMEM;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        const char *text = attributes->items[i].string;
        if (attributes->type != HF_VALUE_MAP || text == NULL) {
            return invalid(reterr, "attributes: a map of texts is expected");
        }
        pairs[i] = (struct hf_string_pair){attributes->keys[i], text};
    }
    const struct hf_string_map map = {pairs, attributes->count};
    return hf_log_labels_init(&route->labels, &map, &none, reterr);
}

static enum hf_status open_router(struct operator* operator, const struct hf_value * config,
                                  char *reterr)
{
    struct router_state *state = operator->state;
    const struct hf_value *routes = value_of(config, "routes");
    const struct hf_value *rest = value_of(config, "default");
    enum hf_status status = HF_OK;
    if (routes == NULL || routes->type != HF_VALUE_LIST || routes->count > ROUTES_MAX) {
        return invalid(reterr, "routes: a list of 1 to %u is required", ROUTES_MAX);
    }
    for (size_t i = 0; i < routes->count && status == HF_OK; i++) {
        struct route *route = &state->routes[state->count++];
        const char *text = text_of(&routes->items[i], "expr", NULL);
        const struct hf_value *output = value_of(&routes->items[i], "output");
        if (text == NULL || output == NULL) {
            return invalid(reterr, "routes: each needs expr and output");
        }
        status = add_labels(operator, route, value_of(&routes->items[i], "attributes"), reterr);
        status = status == HF_OK ? expr_of("expr", text, &route->expr, reterr) : status;
        status = status == HF_OK ? add_outputs(operator, route, output, reterr) : status;
    }
    return status == HF_OK && rest != NULL ? add_outputs(operator, & state->rest, rest, reterr)
                                           : status;
}

static void close_router(struct operator* operator)
{
    struct router_state *state = operator->state;
    for (size_t i = 0; i < state->count; i++) {
        hf_expr_free(state->routes[i].expr);
        hf_log_labels_release(&state->routes[i].labels);
    }
}

static enum outcome take_route(struct run *run, const struct route *route,
                               struct hf_log_entry *entry)
{
    if (route->output_count == 0) {
        return OUTCOME_DROPPED;
    }
    if (hf_log_labels_set(&route->labels, entry, run->why) != HF_OK) {
        return operator_failed(run, "the attributes of the route cannot be set");
    }
    struct operator to = * run->operator;
    to.output_count = route->output_count;
    memcpy(to.outputs, route->outputs, sizeof(to.outputs));
    pass_on(run->pipeline, &to, entry);
    return OUTCOME_DROPPED; /* it has gone its way */
}

static enum outcome run_router(struct run *run, struct hf_log_entry *entry)
{
    const struct router_state *state = run->operator->state;
    for (size_t i = 0; i < state->count; i++) {
        bool matches = false;
        /* A route whose expression fails does not match. */
        if (entry_test(state->routes[i].expr, entry, &matches, run->why) == HF_OK && matches) {
            return take_route(run, &state->routes[i], entry);
        }
    }
    return take_route(run, &state->rest, entry);
}

/* ---- filter ---- */

struct filter_state {
    struct hf_expr *expr;
    unsigned thousandths; /* of the entries that match are dropped */
    uint64_t random;
};

static enum hf_status open_filter(struct operator* operator, const struct hf_value * config,
                                  char *reterr)
{
    struct filter_state *state = operator->state;
    const struct hf_value *ratio = value_of(config, "drop_ratio");
    const char *text = text_of(config, "expr", NULL);
    double share = ratio == NULL                 ? 1
                   : ratio->type == HF_VALUE_INT ? (double)ratio->integer
                                                 : ratio->number;
    if (text == NULL) {
        return invalid(reterr, "expr is required");
    }
    if (!(share >= 0 && share <= 1)) {
        return invalid(reterr, "drop_ratio: 0 to 1");
    }
    state->thousandths = (unsigned)lround(share * 1000);
    state->random = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t) operator;
    return expr_of("expr", text, &state->expr, reterr);
}

static void close_filter(struct operator* operator)
{
    hf_expr_free(((struct filter_state *)operator->state)->expr);
}

/* xorshift: 0 to 999. */
static unsigned draw(struct filter_state *state)
{
    state->random ^= state->random << 13;
    state->random ^= state->random >> 7;
    state->random ^= state->random << 17;
    return (unsigned)(state->random % 1000);
}

static enum outcome run_filter(struct run *run, struct hf_log_entry *entry)
{
    struct filter_state *state = run->operator->state;
    bool matches = false;
    if (entry_test(state->expr, entry, &matches, run->why) != HF_OK) {
        return OUTCOME_FAILED;
    }
    return matches && (state->thousandths == 1000 || draw(state) < state->thousandths)
               ? OUTCOME_DROPPED
               : OUTCOME_NEXT;
}

static enum outcome run_drop(struct run *run, struct hf_log_entry *entry)
{
    (void)run;
    (void)entry;
    return OUTCOME_DROPPED;
}

static const char *const router_keys[] = {"routes", "default", NULL};
static const char *const filter_keys[] = {"expr", "drop_ratio", NULL};

const struct operator_kind operator_router = {.type = "router",
                                              .keys = router_keys,
                                              .size = sizeof(struct router_state),
                                              .open = open_router,
                                              .close = close_router,
                                              .run = run_router};
const struct operator_kind operator_filter = {.type = "filter",
                                              .keys = filter_keys,
                                              .size = sizeof(struct filter_state),
                                              .open = open_filter,
                                              .close = close_filter,
                                              .run = run_filter};
const struct operator_kind operator_drop_output = {.type = "drop_output", .run = run_drop};

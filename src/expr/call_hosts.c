/*
 * call_hosts: functions of rules and templates about endpoints: labels, addresses with ports.
 */
#include <ctype.h>
#include <stdio.h>

#include "call.h"

static const struct hf_expr_value nil;

/* The label of that name, of the variable that the parser put behind the arguments. */
static bool label_argument(struct scope *scope, const struct node *node,
                           struct hf_expr_value *ret_value)
{
    struct hf_slice name;
    struct hf_expr_value labels = expr_argument(scope, node, 1);
    if (!expr_text_argument(scope, node, 0, &name) || labels.type != HF_EXPR_MAP) {
        return false;
    }
    const struct hf_expr_pair *pair = hf_expr_map_find(labels.map, name);
    *ret_value = pair != NULL ? pair->value : nil;
    return pair != NULL;
}

struct hf_expr_value call_has_label(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value;
    return hf_expr_boolean(label_argument(scope, node, &value));
}

/* What is no text reads as an empty one. */
struct hf_expr_value call_label(struct scope *scope, const struct node *node)
{
    struct hf_expr_value value;
    bool is_text = label_argument(scope, node, &value) && value.type == HF_EXPR_STRING;
    return is_text ? value : hf_expr_text("");
}

/* A bare name or address. */
static bool is_host(struct hf_slice host)
{
    bool is_good = host.size != 0;
    for (size_t i = 0; i < host.size; i++) {
        is_good = is_good && host.data[i] > ' ' && host.data[i] != 0x7f &&
                  strchr("[]/?#@\\'\"`", host.data[i]) == NULL;
    }
    return is_good;
}

static bool port_of(const struct hf_expr_value *value, int64_t *ret_port)
{
    *ret_port = value->type == HF_EXPR_INT ? value->integer : 0;
    if (value->type == HF_EXPR_STRING) {
        for (size_t i = 0; i < value->text.size && i < 6; i++) {
            bool is_digit = isdigit(value->text.data[i]) != 0;
            *ret_port = is_digit ? 10 * *ret_port + (value->text.data[i] - '0') : 65536;
        }
    }
    return *ret_port >= 1 && *ret_port <= 65535;
}

/* "host:port", with brackets around an address of IPv6. */
struct hf_expr_value call_join_host_port(struct scope *scope, const struct node *node)
{
    struct hf_slice host;
    int64_t port;
    if (!expr_text_argument(scope, node, 0, &host)) {
        return nil;
    }
    struct hf_expr_value value = expr_argument(scope, node, 1);
    if (!is_host(host) || !port_of(&value, &port)) {
        return expr_fail(scope, "joinHostPort needs a bare host and a port from 1 to 65535");
    }
    char *text = hf_arena_take(scope->arena, host.size + 10);
    if (text == NULL) {
        return expr_no_memory(scope);
    }
    bool is_ipv6 = memchr(host.data, ':', host.size) != NULL;
    int size = snprintf(text, host.size + 10, is_ipv6 ? "[%.*s]:%d" : "%.*s:%d", (int)host.size,
                        (const char *)host.data, (int)port);
    return hf_expr_string(hf_slice_of(text, (size_t)size));
}

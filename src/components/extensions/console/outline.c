#include "outline.h"

#include <stdbool.h>
#include <stddef.h>

static void put_indent(struct hf_console_page *page, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        hf_console_put(page, "  ");
    }
}

static void put_scalar(struct hf_console_page *page, const struct hf_json *value)
{
    switch (value->kind) {
    case HF_JSON_BOOL:
        hf_console_put(page, "%s", value->boolean ? "true" : "false");
        break;
    case HF_JSON_INT:
        hf_console_put(page, "%ld", (long)value->integer);
        break;
    case HF_JSON_DOUBLE:
        hf_console_put(page, "%.6f", value->number);
        break;
    case HF_JSON_STRING:
        hf_console_escape(page, value->text);
        break;
    default:
        hf_console_put(page, "null");
        break;
    }
}

/* Not deeper than HF_JSON_DEPTH_MAX: the reader sees to it. */
static void put_members(struct hf_console_page *page, const struct hf_json *value, unsigned depth)
{
    for (const struct hf_json *at = hf_json_first(value); at != NULL; at = at->next) {
        bool has_members = hf_json_first(at) != NULL;
        put_indent(page, depth);
        if (value->kind == HF_JSON_MAP) {
            hf_console_put(page, "<span class=\"key\">%.*s</span>:", (int)at->key.size,
                           (const char *)at->key.data);
        } else {
            hf_console_put(page, "-");
        }
        if (has_members) {
            hf_console_put(page, "\n");
            put_members(page, at, depth + 1);
        } else if (at->kind == HF_JSON_MAP || at->kind == HF_JSON_LIST) {
            hf_console_put(page, "%s\n", at->kind == HF_JSON_MAP ? " {}" : " []");
        } else {
            hf_console_put(page, " ");
            put_scalar(page, at);
            hf_console_put(page, "\n");
        }
    }
}

void hf_console_put_outline(struct hf_console_page *page, const struct hf_json *value)
{
    if (value->kind == HF_JSON_MAP || value->kind == HF_JSON_LIST) {
        put_members(page, value, 0);
    } else {
        put_scalar(page, value);
    }
}

static size_t count_members(const struct hf_json *value)
{
    size_t count = 0;
    for (const struct hf_json *at = hf_json_first(value); at != NULL; at = at->next) {
        count++;
    }
    return count;
}

static void put_name(struct hf_console_page *page, const struct hf_json *value, bool has_key)
{
    if (has_key) {
        hf_console_put(page, "<span class=\"key\">\"%.*s\"</span>: ", (int)value->key.size,
                       (const char *)value->key.data);
    }
}

/* Not deeper than HF_JSON_DEPTH_MAX: the reader sees to it. */
static void put_folded(struct hf_console_page *page, const struct hf_json *value, bool has_key,
                       unsigned open)
{
    bool is_map = value->kind == HF_JSON_MAP, is_text = value->kind == HF_JSON_STRING;
    if (hf_json_first(value) == NULL) {
        hf_console_put(page, "<div class=\"leaf\">");
        put_name(page, value, has_key);
        if (is_map || value->kind == HF_JSON_LIST) {
            hf_console_put(page, "%s</div>", is_map ? "{}" : "[]");
            return;
        }
        hf_console_put(page, "%s", is_text ? "\"" : "");
        put_scalar(page, value);
        hf_console_put(page, "%s</div>", is_text ? "\"" : "");
        return;
    }
    if (open > 0) {
        hf_console_put(page, "<details open><summary>");
    } else {
        hf_console_put(page, "<details><summary>");
    }
    put_name(page, value, has_key);
    hf_console_put(page, "%s%zu%s</summary>", is_map ? "{" : "[", count_members(value),
                   is_map ? "}" : "]");
    for (const struct hf_json *at = hf_json_first(value); at != NULL; at = at->next) {
        put_folded(page, at, is_map, open > 0 ? open - 1 : 0);
    }
    hf_console_put(page, "</details>");
}

void hf_console_put_folded(struct hf_console_page *page, const struct hf_json *value, unsigned open)
{
    hf_console_put(page, "<div class=\"folded\">");
    put_folded(page, value, false, open);
    hf_console_put(page, "</div>");
}

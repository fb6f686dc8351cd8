#include "html.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/escape.h"

void hf_html_release(struct hf_html *html)
{
    hf_bytes_release(&html->out);
}

enum hf_status hf_html_status(const struct hf_html *html)
{
    return html->failed ? HF_NOMEM : HF_OK;
}

static void put(struct hf_html *html, struct hf_slice bytes)
{
    html->failed = html->failed || hf_bytes_append(&html->out, bytes) != HF_OK;
}

void hf_html_raw(struct hf_html *html, const char *markup)
{
    put(html, hf_slice_text(markup));
}

/* One character that is no control, by its name where HTML has one. */
static void put_escaped(struct hf_html *html, struct hf_slice text)
{
    size_t done = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *name = NULL;
        switch (text.data[i]) {
        case '&':
            name = "&amp;";
            break;
        case '<':
            name = "&lt;";
            break;
        case '>':
            name = "&gt;";
            break;
        case '"':
            name = "&quot;";
            break;
        case '\'':
            name = "&#39;";
            break;
        default:
            continue;
        }
        put(html, hf_slice_of(text.data + done, i - done));
        hf_html_raw(html, name);
        done = i + 1;
    }
    put(html, hf_slice_of(text.data + done, text.size - done));
}

void hf_html_text(struct hf_html *html, const char *text)
{
    struct hf_slice slice = hf_slice_text(text);
    if (hf_escape_is_needless(slice)) {
        put_escaped(html, slice);
        return;
    }
    struct hf_bytes plain = {0};
    html->failed = html->failed || hf_escape_append(HF_ESCAPE_LINE, slice, &plain) != HF_OK;
    put_escaped(html, hf_slice_of(plain.data, plain.size));
    hf_bytes_release(&plain);
}

void hf_html_number(struct hf_html *html, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    hf_html_raw(html, text);
}

void hf_html_query(struct hf_html *html, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char coded[8];
        bool plain = byte < 0x80 && (isalnum(byte) || strchr("-._~/", byte) != NULL);
        snprintf(coded, sizeof(coded), plain ? "%c" : "%%%02X", byte);
        hf_html_raw(html, coded);
    }
}

void hf_html_time(struct hf_html *html, uint64_t unix_ns)
{
    char text[48];
    struct tm parts;
    time_t seconds = (time_t)(unix_ns / 1000000000);
    if (unix_ns == 0) {
        hf_html_raw(html, "-");
        return;
    }
    gmtime_r(&seconds, &parts);
    size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + size, sizeof(text) - size, ".%06uZ", (unsigned)(unix_ns / 1000 % 1000000));
    hf_html_raw(html, text);
}

void hf_html_begin(struct hf_html *html, const char *title)
{
    hf_html_raw(html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    hf_html_text(html, title);
    hf_html_raw(html, "</title>\n<style>body{font-family:sans-serif;margin:1.5em}"
                      "table{border-collapse:collapse;margin:1em 0}"
                      "th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left}"
                      "th{background:#eee}</style></head>\n<body><h1>");
    hf_html_text(html, title);
    hf_html_raw(html, "</h1>\n");
}

void hf_html_end(struct hf_html *html)
{
    hf_html_raw(html, "</body></html>\n");
}

void hf_html_table(struct hf_html *html, const char *const *columns)
{
    hf_html_raw(html, "<table>\n<tr>");
    for (; *columns != NULL; columns++) {
        hf_html_raw(html, "<th>");
        hf_html_text(html, *columns);
        hf_html_raw(html, "</th>");
    }
    hf_html_raw(html, "</tr>\n");
}

void hf_html_row(struct hf_html *html)
{
    hf_html_raw(html, "<tr>");
}

void hf_html_cell(struct hf_html *html, const char *text)
{
    hf_html_raw(html, "<td>");
    hf_html_text(html, text);
    hf_html_raw(html, "</td>");
}

void hf_html_end_row(struct hf_html *html)
{
    hf_html_raw(html, "</tr>\n");
}

void hf_html_end_table(struct hf_html *html)
{
    hf_html_raw(html, "</table>\n");
}

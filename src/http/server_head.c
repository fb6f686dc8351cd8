/*
 * server_head: see the header. The rules are those of RFC 9112, sections 3, 5 and 6; where it lets
 * a server choose between repairing and refusing, this one refuses.
 */
#include <string.h>
#include <strings.h>

#include "server_head.h"
#include "util/blank.h"
#include "util/header_text.h"

/* Bits of what a byte may be part of. */
enum { IN_TOKEN = 1, IN_HOST = 2 };

static unsigned classes_of(uint8_t byte)
{
    if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
        (byte >= 'A' && byte <= 'Z')) {
        return IN_TOKEN | IN_HOST;
    }
    if (byte == 0) {
        return 0;
    }
    return (strchr("!#$%&'*+-.^_`|~", byte) != NULL ? IN_TOKEN : 0u) |
           (strchr("!$%&'()*+-.:;=[]_~", byte) != NULL ? IN_HOST : 0u);
}

static bool is_all(struct hf_slice text, unsigned class)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((classes_of(text.data[i]) & class) == 0) {
            return false;
        }
    }
    return true;
}

static bool is_token(struct hf_slice text)
{
    return text.size != 0 && is_all(text, IN_TOKEN);
}

static bool is_control(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static bool is_named(struct hf_slice name, const char *wanted)
{
    return name.size == strlen(wanted) &&
           strncasecmp((const char *)name.data, wanted, name.size) == 0;
}

/* A path, a whole URL, or the "*" of OPTIONS. */
static bool has_known_form(const char *uri)
{
    size_t scheme =
        strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return uri[0] == '/' || strcmp(uri, "*") == 0 ||
           (scheme != 0 && strncmp(uri + scheme, "://", 3) == 0);
}

bool hf_http_uri_is_sound(const char *uri, size_t *ret_bytes)
{
    bool sound = has_known_form(uri);
    size_t size = 0;
    for (; uri[size] != '\0'; size++) {
        sound = sound && !is_control((uint8_t)uri[size]) && uri[size] != ' ' &&
                strncmp(uri + size, "%00", 3) != 0;
    }
    *ret_bytes = size;
    return sound;
}

static void refuse(struct http_head *head, int status, const char *text)
{
    if (head->refusal.status == 0) {
        head->refusal = (struct http_refusal){status, text};
    }
}

/* Does the head have `count` bytes from `at` on? */
static bool is_inside(const struct http_head *head, const void *at, size_t count)
{
    uintptr_t first = (uintptr_t)head->raw.data, here = (uintptr_t)at;
    return here >= first && here - first <= head->raw.size &&
           count <= head->raw.size - (here - first);
}

/* The library made NULs of the CR LF that ended a line, one of a bare LF. */
static bool ends_line(const struct http_head *head, const uint8_t *at)
{
    return is_inside(head, at, 2) && at[0] == '\0' && at[1] == '\0';
}

/* METHOD NUL URI NUL VERSION, one blank each before they were cut. */
static bool start_stands(struct http_head *head, const struct http_start *start)
{
    const char *url = start->method + strlen(start->method) + 1;
    const char *version = url + start->uri_bytes + 1;
    const uint8_t *end = (const uint8_t *)version + strlen("HTTP/1.1");
    if ((const uint8_t *)start->method != head->raw.data || start->url != url ||
        start->version != version || !ends_line(head, end)) {
        return false;
    }
    head->at = end + 2;
    return true;
}

/* NAME NUL blanks VALUE, where the line before has ended. */
static bool line_stands(struct http_head *head, struct hf_slice name, struct hf_slice value)
{
    if (name.data != head->at || !is_inside(head, name.data, name.size + 1) ||
        !is_inside(head, value.data, value.size) || value.data <= name.data + name.size) {
        return false;
    }
    for (const uint8_t *between = name.data + name.size + 1; between < value.data; between++) {
        if (!hf_is_blank(*between)) {
            return false;
        }
    }
    head->at = value.data + value.size + 2;
    return ends_line(head, head->at - 2);
}

static void refuse_lines(struct http_head *head)
{
    refuse(head, 400, "a line of the head is folded, holds a NUL or does not end with CR LF");
}

void hf_http_head_begin(struct http_head *head, const struct http_start *start)
{
    *head = (struct http_head){.raw = start->raw};
    head->is_1_0 = strcmp(start->version, "HTTP/1.0") == 0;
    if (!is_token(hf_slice_text(start->method))) {
        refuse(head, 400, "the method is no token");
    }
    if (head->raw.size != 0 && !start_stands(head, start)) {
        refuse(head, 400, "the request line is not a method, a URI and a version");
    }
}

/* One element of Transfer-Encoding. */
static void take_coding(struct http_head *head, struct hf_slice coding)
{
    if (!is_token(coding)) {
        refuse(head, 400, "Transfer-Encoding is no list of codings");
        return;
    }
    head->ends_chunked = is_named(coding, "chunked");
    head->chunked += head->ends_chunked;
    head->codings++;
}

static void take_codings(struct http_head *head, struct hf_slice list)
{
    for (;;) {
        const uint8_t *comma = list.size != 0 ? memchr(list.data, ',', list.size) : NULL;
        size_t size = comma != NULL ? (size_t)(comma - list.data) : list.size;
        take_coding(head, hf_header_trim(hf_slice_of(list.data, size)));
        if (comma == NULL) {
            return;
        }
        list = hf_slice_of(comma + 1, list.size - size - 1);
    }
}

static void take_length(struct http_head *head, struct hf_slice value)
{
    head->lengths++;
    bool is_number = value.size != 0;
    for (size_t i = 0; i < value.size; i++) {
        is_number = is_number && value.data[i] >= '0' && value.data[i] <= '9';
    }
    if (!is_number) {
        refuse(head, 400, "Content-Length is no number");
    }
}

void hf_http_head_field(struct http_head *head, struct hf_slice name, struct hf_slice value)
{
    if (head->raw.size != 0 && head->refusal.status == 0 && !line_stands(head, name, value)) {
        refuse_lines(head);
    }
    if (!is_token(name)) {
        refuse(head, 400, "the name of a header is no token");
    }
    for (size_t i = 0; i < value.size; i++) {
        if (is_control(value.data[i]) && value.data[i] != '\t') {
            refuse(head, 400, "the value of a header holds a control character");
        }
    }
    value = hf_header_trim(value);
    if (is_named(name, "host")) {
        head->hosts++;
        if (!is_all(value, IN_HOST)) {
            refuse(head, 400, "Host is no host");
        }
    } else if (is_named(name, "content-length")) {
        take_length(head, value);
    } else if (is_named(name, "transfer-encoding")) {
        take_codings(head, value);
    }
}

static void end_codings(struct http_head *head)
{
    if (head->lengths != 0) {
        refuse(head, 400, "both Content-Length and Transfer-Encoding");
    } else if (head->is_1_0) {
        refuse(head, 400, "Transfer-Encoding in HTTP/1.0");
    } else if (head->chunked > 1 || (head->chunked == 1 && !head->ends_chunked)) {
        refuse(head, 400, "chunked is not the last transfer coding, once");
    } else if (head->codings > 1 || head->chunked == 0) {
        refuse(head, 501, "a transfer coding other than chunked");
    }
}

struct http_refusal hf_http_head_end(struct http_head *head)
{
    if (head->raw.size != 0 && head->refusal.status == 0 &&
        !(ends_line(head, head->at) && head->at + 2 == head->raw.data + head->raw.size)) {
        refuse_lines(head);
    }
    if (head->lengths > 1) {
        refuse(head, 400, "more than one Content-Length");
    }
    if (head->hosts > 1 || (head->hosts == 0 && !head->is_1_0)) {
        refuse(head, 400, head->hosts == 0 ? "no Host" : "more than one Host");
    }
    if (head->codings != 0) {
        end_codings(head);
    }
    return head->refusal;
}

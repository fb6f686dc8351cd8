/* Converters of addresses: URLs, networks and flows. */
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "function.h"
#include "pdata/json_value.h"
#include "util/digest.h"
#include "util/hex.h"

#define CONVERTER(name)                                                                            \
    static bool name(struct hf_ottl_run *run, const struct hf_ottl_call *call,                     \
                     const struct hf_ottl_value *arguments, struct hf_ottl_value *ret_value)

/* ---- networks ---- */

struct address {
    uint8_t bytes[16]; /* IPv4 as the last four of a mapped one */
    bool is_v4;
};

static bool read_address(struct hf_slice text, struct address *address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char room[INET6_ADDRSTRLEN + 1];
    if (text.size == 0 || text.size >= sizeof(room) || memchr(text.data, 0, text.size) != NULL) {
        return false;
    }
    memcpy(room, text.data, text.size);
    room[text.size] = '\0';
    memcpy(address->bytes, mapped, sizeof(mapped));
    address->is_v4 = inet_pton(AF_INET, room, address->bytes + sizeof(mapped)) == 1;
    if (address->is_v4) {
        return true;
    }
    if (inet_pton(AF_INET6, room, address->bytes) != 1) {
        return false;
    }
    address->is_v4 = memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
    return true;
}

/* False: `network` is none. */
static bool contains(struct hf_slice network, const struct address *address, bool *ret_contains)
{
    const uint8_t *slash = memchr(network.data, '/', network.size);
    struct address base;
    int64_t bits;
    if (slash == NULL) {
        return false;
    }
    size_t before = (size_t)(slash - network.data);
    struct hf_slice length = hf_slice_of(slash + 1, network.size - before - 1);
    if (!read_address(hf_slice_of(network.data, before), &base) || length.size == 0 ||
        !isdigit(length.data[0]) || !hf_ottl_read_int(length, 10, &bits) ||
        bits > (base.is_v4 ? 32 : 128)) {
        return false;
    }
    size_t left = (size_t)bits + (base.is_v4 ? 96 : 0);
    *ret_contains = base.is_v4 == address->is_v4;
    for (size_t i = 0; i < sizeof(base.bytes) && left > 0; i++) {
        size_t here = left < 8 ? left : 8;
        uint8_t mask = (uint8_t)(0xff00u >> here);
        *ret_contains &= ((base.bytes[i] ^ address->bytes[i]) & mask) == 0;
        left -= here;
    }
    return true;
}

static enum hf_status check_networks(struct hf_ottl_call *call, struct hf_ottl_fault *fault,
                                     size_t at)
{
    const struct hf_ottl_node *list = call->nodes[1];
    const struct address none = {.is_v4 = true};
    bool ignored;
    (void)at;
    for (size_t i = 0; i < list->count; i++) {
        const struct hf_ottl_node *item = list->items[i];
        if (item->kind == HF_NODE_LITERAL && !contains(item->value.bytes, &none, &ignored)) {
            return hf_ottl_refuse(fault, item->at, "not a network such as 10.0.0.0/8");
        }
    }
    return HF_OK;
}

CONVERTER(is_in_cidr)
{
    struct hf_ottl_value *networks;
    struct address address;
    size_t count;
    bool found = false;
    if (!hf_ottl_items_of(run, call, 1, HF_ARG_STRINGS, &networks, &count)) {
        return false;
    }
    bool is_address = read_address(arguments[0].bytes, &address);
    for (size_t i = 0; is_address && !found && i < count; i++) {
        if (!contains(networks[i].bytes, &address, &found)) {
            return hf_ottl_fail(run, "invalid CIDR address");
        }
    }
    *ret_value = hf_ottl_bool(found);
    return true;
}

/* ---- CommunityID ---- */

struct flow_end {
    struct address address;
    uint16_t port;
};

static size_t address_size(const struct address *address)
{
    return address->is_v4 ? 4 : 16;
}

static const uint8_t *address_bytes(const struct address *address)
{
    return address->bytes + (address->is_v4 ? 12 : 0);
}

static bool read_end(struct hf_ottl_run *run, const struct hf_ottl_value *arguments,
                     struct flow_end *end)
{
    if (arguments[1].integer < 0 || arguments[1].integer > UINT16_MAX) {
        return hf_ottl_fail(run, "a port must be between 0 and 65535, got %" PRId64,
                            arguments[1].integer);
    }
    end->port = (uint16_t)arguments[1].integer;
    return read_address(arguments[0].bytes, &end->address) ||
           hf_ottl_fail(run, "invalid IP address");
}

static bool is_behind(const struct flow_end *a, const struct flow_end *b)
{
    size_t size = address_size(&a->address);
    if (size != address_size(&b->address)) {
        return size > address_size(&b->address);
    }
    int order = memcmp(address_bytes(&a->address), address_bytes(&b->address), size);
    return order > 0 || (order == 0 && a->port > b->port);
}

static int protocol_of(struct hf_slice name)
{
    static const struct {
        const char *name;
        int number;
    } all[] = {{"ICMP", 1}, {"TCP", 6}, {"UDP", 17}, {"RSVP", 46}, {"ICMP6", 58}, {"SCTP", 132}};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (hf_slice_is(name, all[i].name)) {
            return all[i].number;
        }
    }
    return -1;
}

static size_t put_u16(uint8_t *room, size_t at, uint16_t value)
{
    room[at] = (uint8_t)(value >> 8);
    room[at + 1] = (uint8_t)value;
    return at + 2;
}

/* Version 1: the base64 of the SHA-1 of the flow. */
static bool print_flow(struct hf_ottl_run *run, const struct flow_end *ends, uint16_t seed,
                       uint8_t protocol, struct hf_ottl_value *ret_value)
{
    uint8_t room[40], hash[HF_SHA1_HEX_SIZE / 2];
    char hex[HF_SHA1_HEX_SIZE], text[40] = "1:";
    size_t size = put_u16(room, 0, seed);
    for (size_t i = 0; i < 2; i++) {
        memcpy(room + size, address_bytes(&ends[i].address), address_size(&ends[i].address));
        size += address_size(&ends[i].address);
    }
    room[size++] = protocol;
    room[size++] = 0;
    size = put_u16(room, size, ends[0].port);
    size = put_u16(room, size, ends[1].port);
    if (hf_digest_sha1(hf_slice_of(room, size), hex) != HF_OK ||
        !hf_hex_read(hf_slice_of(hex, sizeof(hex)), hash)) {
        return hf_ottl_fail(run, "the system's OpenSSL is set up without SHA-1");
    }
    size = 2 + hf_json_print_base64(hf_slice_of(hash, sizeof(hash)), text + 2);
    *ret_value = hf_ottl_string(hf_ottl_keep(run, hf_slice_of(text, size)));
    return !run->no_memory;
}

CONVERTER(community_id)
{
    struct flow_end ends[2];
    int protocol = call->nodes[4] != NULL ? protocol_of(arguments[4].bytes) : 6;
    int64_t seed = call->nodes[5] != NULL ? arguments[5].integer : 0;
    if (!read_end(run, &arguments[0], &ends[0]) || !read_end(run, &arguments[2], &ends[1])) {
        return false;
    }
    if (protocol < 0 || seed < 0 || seed > UINT16_MAX) {
        return hf_ottl_fail(run, protocol < 0 ? "unsupported protocol"
                                              : "the seed must be between 0 and 65535");
    }
    if (is_behind(&ends[0], &ends[1])) {
        struct flow_end first = ends[0];
        ends[0] = ends[1];
        ends[1] = first;
    }
    return print_flow(run, ends, (uint16_t)seed, (uint8_t)protocol, ret_value);
}

/* ---- URLs ---- */

struct url {
    struct hf_slice scheme, user, host, port, path, query, fragment;
    bool has_user, has_authority;
};

static struct hf_slice before(struct hf_slice text, const uint8_t *at)
{
    return hf_slice_of(text.data, (size_t)(at - text.data));
}

static struct hf_slice behind(struct hf_slice text, const uint8_t *at)
{
    return hf_slice_of(at + 1, text.size - (size_t)(at - text.data) - 1);
}

/* Takes what stands behind a character off the text. */
static struct hf_slice cut_behind(struct hf_slice *text, char character)
{
    const uint8_t *found = text->size > 0 ? memchr(text->data, character, text->size) : NULL;
    if (found == NULL) {
        return HF_EMPTY_SLICE;
    }
    struct hf_slice rest = behind(*text, found);
    *text = before(*text, found);
    return rest;
}

static bool take_scheme(struct hf_slice *text, struct hf_slice *ret_scheme)
{
    *ret_scheme = HF_EMPTY_SLICE;
    for (size_t i = 0; i < text->size; i++) {
        uint8_t byte = text->data[i];
        if (byte == ':') {
            *ret_scheme = before(*text, &text->data[i]);
            *text = behind(*text, &text->data[i]);
            return i > 0;
        }
        bool is_later = isdigit(byte) || byte == '+' || byte == '-' || byte == '.';
        if (!isalpha(byte) && !(i > 0 && is_later)) {
            return true; /* no scheme */
        }
    }
    return true;
}

static bool are_digits(struct hf_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!isdigit(text.data[i])) {
            return false;
        }
    }
    return true;
}

/* user:password@host:port, where the host may stand in brackets. */
static bool read_authority(struct hf_slice authority, struct url *url)
{
    const uint8_t *at = authority.size > 0 ? memrchr(authority.data, '@', authority.size) : NULL;
    if (at != NULL) {
        url->has_user = true;
        url->user = before(authority, at);
        authority = behind(authority, at);
    }
    const uint8_t *close = authority.size > 0 && authority.data[0] == '['
                               ? memchr(authority.data, ']', authority.size)
                               : NULL;
    if (authority.size > 0 && authority.data[0] == '[' && close == NULL) {
        return false;
    }
    struct hf_slice rest = close != NULL ? behind(authority, close) : authority;
    const uint8_t *colon = rest.size > 0 ? memrchr(rest.data, ':', rest.size) : NULL;
    url->host = close != NULL
                    ? hf_slice_of(authority.data + 1, (size_t)(close - authority.data) - 1)
                : colon != NULL ? before(rest, colon)
                                : rest;
    url->port = colon != NULL ? behind(rest, colon) : HF_EMPTY_SLICE;
    return are_digits(url->port);
}

static bool read_url(struct hf_slice text, struct url *url)
{
    *url = (struct url){.has_user = false};
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            return false;
        }
    }
    url->fragment = cut_behind(&text, '#');
    if (!take_scheme(&text, &url->scheme)) {
        return false;
    }
    url->query = cut_behind(&text, '?');
    if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        struct hf_slice rest = hf_slice_of(text.data + 2, text.size - 2);
        const uint8_t *slash = rest.size > 0 ? memchr(rest.data, '/', rest.size) : NULL;
        url->has_authority = true;
        url->path = slash != NULL ? hf_slice_of(slash, rest.size - (size_t)(slash - rest.data))
                                  : HF_EMPTY_SLICE;
        return read_authority(slash != NULL ? before(rest, slash) : rest, url);
    }
    /* What follows a scheme without a slash is no path. */
    bool is_opaque = url->scheme.size > 0 && (text.size == 0 || text.data[0] != '/');
    url->path = is_opaque ? HF_EMPTY_SLICE : text;
    return true;
}

/* %XX as bytes; false: not two digits. */
static bool unescape(struct hf_ottl_run *run, struct hf_slice text, struct hf_slice *ret_text)
{
    uint8_t *room = hf_ottl_take(run, text.size + 1);
    size_t size = 0;
    if (room == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (i + 2 >= text.size || !hf_hex_read(hf_slice_of(&text.data[i + 1], 2), &byte)) {
                return hf_ottl_fail(run, "invalid URL escape");
            }
            i += 2;
        }
        room[size++] = byte;
    }
    struct hf_ottl_value mended;
    bool ok = hf_ottl_mend_text(run, hf_slice_of(room, size), &mended);
    *ret_text = mended.bytes;
    return ok;
}

static bool put_text(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const char *key,
                     struct hf_slice text)
{
    struct hf_ottl_value value = hf_ottl_string(text);
    struct hf_slice encoded;
    return hf_ottl_encode(run, &value, &encoded) &&
           hf_ottl_pairs_put(run, pairs, hf_slice_text(key), encoded);
}

static bool put_user(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, const struct url *url)
{
    struct hf_slice name = url->user, password;
    const uint8_t *colon = name.size > 0 ? memchr(name.data, ':', name.size) : NULL;
    if (!url->has_user) {
        return true;
    }
    if (!put_text(run, pairs, "url.user_info", url->user)) {
        return false;
    }
    name = colon != NULL ? before(url->user, colon) : name;
    if (!unescape(run, name, &name) ||
        (name.size > 0 && !put_text(run, pairs, "url.username", name))) {
        return false;
    }
    return colon == NULL || (unescape(run, behind(url->user, colon), &password) &&
                             put_text(run, pairs, "url.password", password));
}

static bool put_port(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice port)
{
    struct hf_ottl_value value = hf_ottl_int(0);
    struct hf_slice encoded;
    if (port.size == 0) {
        return true;
    }
    if (!hf_ottl_read_int(port, 10, &value.integer)) {
        return hf_ottl_fail(run, "invalid port");
    }
    return hf_ottl_encode(run, &value, &encoded) &&
           hf_ottl_pairs_put(run, pairs, hf_slice_text("url.port"), encoded);
}

static bool put_extension(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs,
                          struct hf_slice path)
{
    const uint8_t *dot = path.size > 0 ? memrchr(path.data, '.', path.size) : NULL;
    struct hf_slice extension = dot != NULL ? behind(path, dot) : HF_EMPTY_SLICE;
    return extension.size == 0 || put_text(run, pairs, "url.extension", extension);
}

/* As it was, but for the scheme in small letters. */
static bool put_original(struct hf_ottl_run *run, struct hf_ottl_pairs *pairs, struct hf_slice text,
                         struct hf_slice scheme)
{
    struct hf_ottl_value original;
    hf_ottl_start_text(run);
    hf_ottl_add_text(run, scheme);
    hf_ottl_add_text(run, hf_slice_of(text.data + scheme.size, text.size - scheme.size));
    return hf_ottl_end_text(run, &original) && put_text(run, pairs, "url.original", original.bytes);
}

CONVERTER(read_parts)
{
    struct hf_slice text = arguments[0].bytes, path, fragment;
    struct hf_ottl_pairs pairs;
    struct url url;
    char scheme[64];
    (void)call;
    if (text.size == 0) {
        return hf_ottl_fail(run, "url cannot be empty");
    }
    if (!read_url(text, &url) || url.scheme.size > sizeof(scheme)) {
        return hf_ottl_fail(run, "the text is no URL");
    }
    for (size_t i = 0; i < url.scheme.size; i++) {
        scheme[i] = (char)tolower(url.scheme.data[i]);
    }
    bool ok = unescape(run, url.path, &path) && unescape(run, url.fragment, &fragment) &&
              hf_ottl_pairs_of(run, HF_EMPTY_SLICE, 12, &pairs) &&
              put_original(run, &pairs, text, hf_slice_of(scheme, url.scheme.size)) &&
              put_text(run, &pairs, "url.domain", url.host) &&
              put_text(run, &pairs, "url.scheme", hf_slice_of(scheme, url.scheme.size)) &&
              put_text(run, &pairs, "url.path", path) && put_port(run, &pairs, url.port) &&
              put_user(run, &pairs, &url) && put_extension(run, &pairs, path) &&
              (fragment.size == 0 || put_text(run, &pairs, "url.fragment", fragment)) &&
              (url.query.size == 0 || put_text(run, &pairs, "url.query", url.query));
    return ok && hf_ottl_map_of_pairs(run, &pairs, ret_value);
}

const struct hf_ottl_function hf_ottl_addresses[] = {
    {.name = "URL", .arguments = {{"uri", HF_ARG_STRING}}, .run = read_parts},
    {.name = "IsInCIDR",
     .arguments = {{"target", HF_ARG_STRING}, {"networks", HF_ARG_STRINGS}},
     .run = is_in_cidr,
     .check = check_networks},
    {.name = "CommunityID",
     .arguments = {{"source_ip", HF_ARG_STRING},
                   {"source_port", HF_ARG_INT},
                   {"destination_ip", HF_ARG_STRING},
                   {"destination_port", HF_ARG_INT},
                   {"protocol", HF_ARG_STRING | HF_ARG_OPTIONAL},
                   {"seed", HF_ARG_INT | HF_ARG_OPTIONAL}},
     .run = community_id},
    {.name = NULL},
};

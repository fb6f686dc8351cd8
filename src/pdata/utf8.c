#include "utf8.h"

/* What may follow a first byte: how many continuation bytes, and the range of the first of them,
 * which is where overlong forms, surrogates and too large code points show. */
struct lead {
    uint8_t more, least, most;
};

static bool lead_of(uint8_t byte, struct lead *ret_lead)
{
    if (byte < 0xc2 || byte > 0xf4) {
        return false; /* a stray continuation, an overlong pair, or beyond U+10FFFF */
    }
    *ret_lead = (struct lead){.more = 1, .least = 0x80, .most = 0xbf};
    if (byte >= 0xf0) {
        ret_lead->more = 3;
        ret_lead->least = byte == 0xf0 ? 0x90 : 0x80;
        ret_lead->most = byte == 0xf4 ? 0x8f : 0xbf;
    } else if (byte >= 0xe0) {
        ret_lead->more = 2;
        ret_lead->least = byte == 0xe0 ? 0xa0 : 0x80;
        ret_lead->most = byte == 0xed ? 0x9f : 0xbf;
    }
    return true;
}

/* The size of the ASCII run at `from`, by words. */
static size_t ascii_run(struct hf_slice text, size_t from)
{
    size_t at = from;
    uint64_t word;
    while (text.size - at >= sizeof(word)) {
        memcpy(&word, &text.data[at], sizeof(word));
        if ((word & HF_UTF8_HIGH_BITS) != 0) {
            break;
        }
        at += sizeof(word);
    }
    while (at < text.size && text.data[at] < 0x80) {
        at++;
    }
    return at - from;
}

/* The size of the character at `at`; 0: none stands there. */
static size_t character_size(struct hf_slice text, size_t at)
{
    struct lead lead;
    if (!lead_of(text.data[at], &lead) || lead.more >= text.size - at ||
        text.data[at + 1] < lead.least || text.data[at + 1] > lead.most) {
        return 0;
    }
    for (size_t i = 2; i <= lead.more; i++) {
        if ((text.data[at + i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return (size_t)lead.more + 1;
}

size_t hf_utf8_valid_run(struct hf_slice text)
{
    size_t at = 0;
    while (at < text.size) {
        size_t size = text.data[at] < 0x80 ? ascii_run(text, at) : character_size(text, at);
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

bool hf_utf8_is_valid(struct hf_slice text)
{
    return hf_utf8_valid_run(text) == text.size;
}

size_t hf_utf8_bad_run(struct hf_slice text)
{
    struct lead lead;
    if (!lead_of(text.data[0], &lead) || text.size < 2 || text.data[1] < lead.least ||
        text.data[1] > lead.most) {
        return 1;
    }
    size_t size = 2;
    while (size < text.size && size <= lead.more && (text.data[size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

#include "runes.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

struct hf_rune hf_rune_at(struct hf_slice text, size_t at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *bytes = text.data + at;
    size_t left = text.size - at;
    if (bytes[0] < 0x80) {
        return (struct hf_rune){bytes[0], 1};
    }
    size_t size = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : bytes[0] >= 0xc2 ? 2 : 0;
    if (size == 0 || size > left || bytes[0] > 0xf4) {
        return (struct hf_rune){HF_RUNE_BAD, 1};
    }
    uint32_t code = bytes[0] & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return (struct hf_rune){HF_RUNE_BAD, 1};
        }
        code = code << 6 | (bytes[i] & 0x3f);
    }
    bool is_half = code >= 0xd800 && code < 0xe000;
    return code < least[size] || code > 0x10ffff || is_half ? (struct hf_rune){HF_RUNE_BAD, 1}
                                                            : (struct hf_rune){code, size};
}

size_t hf_rune_put(uint32_t code, uint8_t room[HF_RUNE_MAX])
{
    if (code < 0x80) {
        room[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1;) {
        room[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    room[0] = (uint8_t)(heads[size] | code);
    return size;
}

/* The process's own locale knows ASCII alone; this one is made once and never freed. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t unicode;

static void open_locale(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t locale(void)
{
    pthread_once(&once, open_locale);
    return unicode;
}

uint32_t hf_rune_to_lower(uint32_t code)
{
    if (code < 0x80 || locale() == (locale_t)0) {
        return code >= 'A' && code <= 'Z' ? code + 32 : code;
    }
    return (uint32_t)towlower_l((wint_t)code, locale());
}

uint32_t hf_rune_to_upper(uint32_t code)
{
    if (code < 0x80 || locale() == (locale_t)0) {
        return code >= 'a' && code <= 'z' ? code - 32 : code;
    }
    return (uint32_t)towupper_l((wint_t)code, locale());
}

bool hf_rune_is_lower(uint32_t code)
{
    return code < 0x80 ? code >= 'a' && code <= 'z' : hf_rune_to_upper(code) != code;
}

bool hf_rune_is_upper(uint32_t code)
{
    return code < 0x80 ? code >= 'A' && code <= 'Z' : hf_rune_to_lower(code) != code;
}

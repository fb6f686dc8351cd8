#include "letter_case.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

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

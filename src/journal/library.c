#include "library.h"

#include <stddef.h>

#include "util/library.h"

static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"sd_journal_" #name, offsetof(struct hf_journal_library, name)},
    HF_JOURNAL_FUNCTIONS(ROW)
#undef ROW
        {"sd_id128_get_boot", offsetof(struct hf_journal_library, get_boot)},
};

const struct hf_journal_library *hf_journal_library(char *reterr)
{
    static struct hf_journal_library functions;
    static struct hf_library library = {
        .names = {"libsystemd.so.0"},
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(symbols[0]),
        .missing = "journals need libsystemd (Debian: apt-get install libsystemd0)",
        .old = "install systemd 246 or newer",
    };
    return hf_library_load(&library, &functions, reterr) ? &functions : NULL;
}

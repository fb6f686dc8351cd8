#include "library.h"

#include "util/shared_object.h"

static const struct hf_shared_symbol symbols[] = {
#define ROW(name) {"sd_journal_" #name, offsetof(struct hf_journal_library, name)},
    HF_JOURNAL_FUNCTIONS(ROW)
#undef ROW
        {"sd_id128_get_boot", offsetof(struct hf_journal_library, get_boot)},
};

const struct hf_journal_library *hf_journal_library(char *reterr)
{
    static struct hf_journal_library library;
    static bool is_loaded;
    static const struct hf_shared_object object = {
        .names = {"libsystemd.so.0"},
        .needed = "journals need libsystemd (Debian: apt-get install libsystemd0)",
        .install = "install systemd 246 or newer",
        .symbols = symbols,
        .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
    };
    is_loaded = is_loaded || hf_shared_object_load(&object, &library, reterr);
    return is_loaded ? &library : NULL;
}

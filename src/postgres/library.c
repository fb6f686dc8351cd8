#include "library.h"

#include "util/shared_object.h"

static const struct hf_shared_symbol symbols[] = {
#define ROW(name) {"PQ" #name, offsetof(struct hf_pg_library, name)},
    HF_PG_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_pg_library *hf_pg_library(char *reterr)
{
    static struct hf_pg_library library;
    static bool is_loaded;
    static const struct hf_shared_object object = {
        .names = {"libpq.so.5"},
        .needed = "PostgreSQL needs libpq (Debian: apt-get install libpq5)",
        .install = "install libpq 15 or newer (Debian: libpq5)",
        .symbols = symbols,
        .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
    };
    is_loaded = is_loaded || hf_shared_object_load(&object, &library, reterr);
    return is_loaded ? &library : NULL;
}

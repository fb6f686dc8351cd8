#include "library.h"

#include <stddef.h>

#include "util/library.h"

static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"PQ" #name, offsetof(struct hf_pg_library, name)},
    HF_PG_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_pg_library *hf_pg_library(char *reterr)
{
    static struct hf_pg_library functions;
    static struct hf_library library = {
        .names = {"libpq.so.5"},
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(symbols[0]),
        .missing = "PostgreSQL needs libpq (Debian: apt-get install libpq5)",
        .old = "install libpq 15 or newer (Debian: libpq5)",
    };
    return hf_library_load(&library, &functions, reterr) ? &functions : NULL;
}

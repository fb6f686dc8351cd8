#include "library.h"

#include <stddef.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "util/library.h"

static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"mysql_" #name, offsetof(struct hf_mysql_library, name)},
    HF_MYSQL_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_mysql_library *hf_mysql_library(char *reterr)
{
    static struct hf_mysql_library functions;
    static bool has_begun;
    static struct hf_library library = {
        .names = {"libmariadb.so.3"},
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(symbols[0]),
        .missing = "MySQL and MariaDB need libmariadb (Debian: apt-get install libmariadb3)",
        .old = "install libmariadb 3.3 or newer (Debian: libmariadb3)",
    };
    if (!has_begun && hf_library_load(&library, &functions, reterr)) {
        has_begun = functions.server_init(0, NULL, NULL) == 0;
        if (!has_begun) {
            snprintf(reterr, HF_ERROR_MAX, "libmariadb does not begin: out of memory");
        }
    }
    return has_begun ? &functions : NULL;
}

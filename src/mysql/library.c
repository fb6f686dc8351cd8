#include "library.h"

#include <stdio.h>

#include <holdfast/component.h>

#include "util/shared_object.h"

static const struct hf_shared_symbol symbols[] = {
#define ROW(name) {"mysql_" #name, offsetof(struct hf_mysql_library, name)},
    HF_MYSQL_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_mysql_library *hf_mysql_library(char *reterr)
{
    static struct hf_mysql_library library;
    static bool is_loaded;
    static const struct hf_shared_object object = {
        .names = {"libmariadb.so.3"},
        .needed = "MySQL and MariaDB need libmariadb (Debian: apt-get install libmariadb3)",
        .install = "install libmariadb 3.3 or newer (Debian: libmariadb3)",
        .symbols = symbols,
        .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
    };
    if (!is_loaded && hf_shared_object_load(&object, &library, reterr)) {
        is_loaded = library.server_init(0, NULL, NULL) == 0;
        if (!is_loaded) {
            snprintf(reterr, HF_ERROR_MAX, "libmariadb does not begin: out of memory");
        }
    }
    return is_loaded ? &library : NULL;
}

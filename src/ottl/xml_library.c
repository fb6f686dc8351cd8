#include "xml_library.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "util/shared_object.h"

static struct hf_xml_library library;
static bool is_loaded;
static char load_error[HF_ERROR_MAX];

static const struct hf_shared_symbol symbols[] = {
#define ROW(name) {"xml" #name, offsetof(struct hf_xml_library, name)},
    HF_XML_FUNCTIONS(ROW)
#undef ROW
};

static void load(void)
{
    static const struct hf_shared_object object = {
        .names = {"libxml2.so.2", "libxml2.so.16"},
        .needed = "functions of XML need libxml2 (Debian: apt-get install libxml2)",
        .install = "install libxml2 2.9 or newer",
        .symbols = symbols,
        .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
    };
    is_loaded = hf_shared_object_load(&object, &library, load_error);
    if (is_loaded) {
        library.InitParser();
    }
}

const struct hf_xml_library *hf_xml_library(char *reterr)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!is_loaded) {
        snprintf(reterr, HF_ERROR_MAX, "%s", load_error);
    }
    return is_loaded ? &library : NULL;
}

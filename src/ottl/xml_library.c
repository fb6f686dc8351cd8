#include "xml_library.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

#include <holdfast/component.h>

#include "util/library.h"

static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"xml" #name, offsetof(struct hf_xml_library, name)},
    HF_XML_FUNCTIONS(ROW)
#undef ROW
};

static struct hf_library library = {
    .names = {"libxml2.so.2", "libxml2.so.16"},
    .symbols = symbols,
    .count = sizeof(symbols) / sizeof(symbols[0]),
    .missing = "functions of XML need libxml2 (Debian: apt-get install libxml2)",
    .old = "install libxml2 2.9 or newer",
};
static struct hf_xml_library functions;
static char load_error[HF_ERROR_MAX];

static void load(void)
{
    if (hf_library_load(&library, &functions, load_error)) {
        functions.InitParser();
    }
}

const struct hf_xml_library *hf_xml_library(char *reterr)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (!library.is_loaded) {
        snprintf(reterr, HF_ERROR_MAX, "%s", load_error);
    }
    return library.is_loaded ? &functions : NULL;
}

#include "library.h"

#include <stddef.h>

#include "util/library.h"

static const struct hf_library_symbol symbols[] = {
#define ROW(name) {"rd_kafka_" #name, offsetof(struct hf_kafka_library, name)},
    HF_KAFKA_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_kafka_library *hf_kafka_library(char *reterr)
{
    static struct hf_kafka_library functions;
    static struct hf_library library = {
        .names = {"librdkafka.so.1"},
        .symbols = symbols,
        .count = sizeof(symbols) / sizeof(symbols[0]),
        .missing = "Kafka needs librdkafka 2.0 or newer (Debian: apt-get install librdkafka1)",
        .old = "install librdkafka 2.0 or newer (Debian: librdkafka1)",
    };
    return hf_library_load(&library, &functions, reterr) ? &functions : NULL;
}

#include "library.h"

#include "util/shared_object.h"

static const struct hf_shared_symbol symbols[] = {
#define ROW(name) {"rd_kafka_" #name, offsetof(struct hf_kafka_library, name)},
    HF_KAFKA_FUNCTIONS(ROW)
#undef ROW
};

const struct hf_kafka_library *hf_kafka_library(char *reterr)
{
    static struct hf_kafka_library library;
    static bool is_loaded;
    static const struct hf_shared_object object = {
        .names = {"librdkafka.so.1"},
        .needed = "Kafka needs librdkafka 2.0 or newer (Debian: apt-get install librdkafka1)",
        .install = "install librdkafka 2.0 or newer (Debian: librdkafka1)",
        .symbols = symbols,
        .symbol_count = sizeof(symbols) / sizeof(symbols[0]),
    };
    is_loaded = is_loaded || hf_shared_object_load(&object, &library, reterr);
    return is_loaded ? &library : NULL;
}

#include "object_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "util/hash.h"
#include "util/time/clock.h"
#include "util/time/zone.h"

struct hf_object_namer {
    struct hf_object_namer_options options;
    struct hf_zone *zone;
    struct hf_hash instance; /* host, data directory, exporter */
};

enum hf_status hf_object_namer_new(const struct hf_object_namer_options *options,
                                   struct hf_object_namer **ret_namer, char *reterr)
{
    struct hf_object_namer *namer = calloc(1, sizeof(*namer));
    const char *zone = options->time_zone != NULL ? options->time_zone : "";
    const char *directory = hf_node_directory(options->node);
    char host[256] = "";
    if (namer == NULL) {
        snprintf(reterr, HF_ERROR_MAX, "no memory for the names of objects");
        return HF_NOMEM;
    }
    namer->options = *options;
    enum hf_status status = hf_zone_open(zone, &namer->zone);
    if (status != HF_OK) {
        snprintf(reterr, HF_ERROR_MAX, "the time zone \"%.100s\" is not known on this machine",
                 zone);
        free(namer);
        return status;
    }
    gethostname(host, sizeof(host) - 1);
    namer->instance =
        hf_hash_pair(hf_slice_text(host), hf_slice_text(directory != NULL ? directory : ""));
    namer->instance =
        hf_hash_mix(namer->instance, hf_hash_of(hf_slice_text(hf_node_id(options->node))));
    *ret_namer = namer;
    return HF_OK;
}

void hf_object_namer_free(struct hf_object_namer *namer)
{
    if (namer != NULL) {
        hf_zone_close(namer->zone);
        free(namer);
    }
}

/* Of the first record: two are alike only by chance. */
static struct hf_hash identity(const struct hf_object_namer *namer, const struct hf_export *export)
{
    const struct hf_export_range *first = &export->ranges[0];
    const uint64_t numbers[] = {first->sequence, first->first, first->received_ns};
    struct hf_hash own = hf_hash_pair(hf_slice_text(export->queue),
                                      hf_slice_of((const uint8_t *)numbers, sizeof(numbers)));
    return hf_hash_mix(namer->instance, own);
}

static void put_uuid(const struct hf_export_range *first, struct hf_hash hash, char *room,
                     size_t size)
{
    uint64_t ms = first->received_ns / 1000000;
    snprintf(room, size, "%08" PRIx32 "-%04" PRIx16 "-7%03" PRIx16 "-%04" PRIx16 "-%012" PRIx64,
             (uint32_t)(ms >> 16), (uint16_t)ms, (uint16_t)(hash.high & 0xfff),
             (uint16_t)(0x8000 | ((hash.high >> 12) & 0x3fff)), hash.low >> 16);
}

static void put_unique(const struct hf_object_namer *namer, const struct hf_export *export,
                       char *room, size_t size)
{
    const struct hf_export_range *first = &export->ranges[0];
    struct hf_hash hash = identity(namer, export);
    if (namer->options.is_uuid) {
        put_uuid(first, hash, room, size);
    } else {
        snprintf(room, size, "%020" PRIu64 "-%" PRIu32 "-%016" PRIx64, first->sequence,
                 first->first, hash.low);
    }
}

bool hf_object_partition(const struct hf_zone *zone, const char *format, uint64_t time_ns,
                         char ret_text[HF_OBJECT_PARTITION_MAX])
{
    int64_t unix_s = (int64_t)(time_ns / HF_NS_PER_S);
    int32_t offset_s = hf_zone_offset_s(zone, unix_s);
    time_t wall_s = (time_t)(unix_s + offset_s);
    struct tm parts;
    ret_text[0] = '\0';
    if (format[0] == '\0') {
        return true;
    }
    if (gmtime_r(&wall_s, &parts) == NULL) {
        return false;
    }
    parts.tm_gmtoff = offset_s;
    return strftime(ret_text, HF_OBJECT_PARTITION_MAX, format, &parts) != 0;
}

static const char *slash_behind(const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    return size != 0 && text[size - 1] != '/' ? "/" : "";
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

enum hf_status hf_object_name(const struct hf_object_namer *namer, const struct hf_export *export,
                              const char *prefix, char *ret_name, size_t size)
{
    const struct hf_object_namer_options *options = &namer->options;
    const char *coding = options->coding == HF_GZIP   ? ".gz"
                         : options->coding == HF_ZSTD ? ".zst"
                                                      : "";
    char partition[HF_OBJECT_PARTITION_MAX], unique[80];
    if (!hf_object_partition(namer->zone, options->partition_format, export->ranges[0].received_ns,
                             partition)) {
        return HF_TOO_LARGE;
    }
    put_unique(namer, export, unique, sizeof(unique));
    int made =
        snprintf(ret_name, size, "%s%s%s%s%s%s%s%s%s%s%s%s%s", or_empty(options->base_prefix),
                 slash_behind(options->base_prefix), or_empty(prefix), slash_behind(prefix),
                 partition, slash_behind(partition), or_empty(options->file_prefix),
                 options->has_no_signal ? "" : hf_signal_name(export->signal),
                 options->has_no_signal ? "" : "_", unique,
                 options->extension[0] != '\0' ? "." : "", options->extension, coding);
    return made > 0 && (size_t)made < size ? HF_OK : HF_TOO_LARGE;
}

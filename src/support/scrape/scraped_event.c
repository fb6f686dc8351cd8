#include "scraped_event.h"

#include "metric_points.h"
#include "pdata/build.h"

void hf_event_begin(struct hf_scrape *scrape, const char *name, const char *system)
{
    const struct hf_build_log_record record = {.time_ns = scrape->now_ns,
                                               .event_name = hf_slice_text(name)};
    hf_build_log_record(scrape->builder, &record);
    hf_event_text(scrape, "db.system.name", hf_slice_text(system));
}

void hf_event_text(struct hf_scrape *scrape, const char *key, struct hf_slice text)
{
    hf_build_attribute_string(scrape->builder, hf_slice_text(key), text);
}

void hf_event_int(struct hf_scrape *scrape, const char *key, struct hf_slice text)
{
    int64_t number = 0;
    (void)!hf_read_int(text, &number);
    hf_build_attribute_int(scrape->builder, hf_slice_text(key), number);
}

void hf_event_double(struct hf_scrape *scrape, const char *key, double number)
{
    hf_build_attribute_double(scrape->builder, hf_slice_text(key), number);
}

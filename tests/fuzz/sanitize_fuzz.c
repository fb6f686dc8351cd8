/*
 * Must reach hf_sql_mask(), hf_redis_mask(), hf_json_query_mask() and hf_url_mask(). The first byte
 * chooses among them; the rest is the text. A masked query in JSON stays the same when it is masked
 * again.
 */
#include <stdlib.h>
#include <string.h>

#include "components/processors/redaction/json_query.h"
#include "components/processors/redaction/redis_command.h"
#include "components/processors/redaction/url_words.h"
#include "support/scrape/sql_mask.h"

static enum hf_status mask(uint8_t kind, struct hf_slice text, struct hf_bytes *out)
{
    switch (kind % 5) {
    case 0:
        return hf_sql_mask(text, 0, out);
    case 1:
        return hf_sql_mask(text, HF_SQL_MYSQL | (kind >= 128 ? HF_SQL_BARE : 0), out);
    case 2:
        return hf_redis_mask(text, out);
    case 3:
        return hf_json_query_mask(text, out);
    default:
        return hf_url_mask(text, out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes once = {0}, twice = {0};
    if (size < 1) {
        return 0;
    }
    uint8_t *text = malloc(size); /* reading behind its end is seen */
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data + 1, size - 1);
    enum hf_status status = mask(data[0], hf_slice_of(text, size - 1), &once);
    if (status == HF_INVALID ? data[0] % 5 != 3 : status != HF_OK) {
        abort();
    }
    if (status == HF_OK && data[0] % 5 == 3) {
        status = mask(data[0], hf_slice_of(once.data, once.size), &twice);
        if (status != HF_OK || twice.size != once.size ||
            memcmp(once.data, twice.data, once.size) != 0) {
            abort();
        }
    }
    free(text);
    hf_bytes_release(&once);
    hf_bytes_release(&twice);
    return 0;
}

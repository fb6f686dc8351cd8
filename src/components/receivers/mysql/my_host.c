#include "my_host.h"

#include <stdbool.h>
#include <string.h>

#include "support/scrape/metric_points.h"

void my_host_split(struct hf_slice host, struct hf_slice *ret_address, int64_t *ret_port)
{
    const uint8_t *colon = host.size != 0 ? memrchr(host.data, ':', host.size) : NULL;
    size_t size = colon != NULL ? (size_t)(colon - host.data) : host.size;
    *ret_address = host;
    *ret_port = 0;
    if (colon != NULL && hf_read_int(hf_slice_of(colon + 1, host.size - size - 1), ret_port)) {
        bool is_v6 = size >= 2 && host.data[0] == '[' && host.data[size - 1] == ']';
        *ret_address = is_v6 ? hf_slice_of(host.data + 1, size - 2) : hf_slice_of(host.data, size);
    }
}

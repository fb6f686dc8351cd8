/*
 * server_headers: the headers of a request, without the blanks around their values.
 */
#include <string.h>

#include "server_internal.h"
#include "util/header_text.h"

struct hf_slice hf_http_header(const struct hf_http_request *request, const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    if (MHD_lookup_connection_value_n(request->connection, MHD_HEADER_KIND, name, strlen(name),
                                      &value, &size) == MHD_NO ||
        value == NULL) {
        return HF_EMPTY_SLICE;
    }
    return hf_header_trim(hf_slice_of(value, size));
}

struct header_visit {
    void (*visit)(void *user, struct hf_slice name, struct hf_slice value);
    void *user;
};

static enum MHD_Result visit_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    size_t name_size, const char *value, size_t value_size)
{
    const struct header_visit *visit = user;
    (void)kind;
    visit->visit(visit->user, hf_slice_of(name, name_size),
                 hf_header_trim(hf_slice_of(value, value_size)));
    return MHD_YES;
}

void hf_http_header_each(const struct hf_http_request *request,
                         void (*visit)(void *user, struct hf_slice name, struct hf_slice value),
                         void *user)
{
    struct header_visit carrier = {visit, user};
    (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, visit_header, &carrier);
}

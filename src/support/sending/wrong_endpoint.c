#include "wrong_endpoint.h"

#include <string.h>
#include <strings.h>

#include "util/header_text.h"

static bool is_page(struct hf_slice content_type)
{
    static const char *const types[] = {"text/html", "application/xhtml+xml"};
    size_t size = 0;
    while (size < content_type.size && content_type.data[size] != ';') {
        size++;
    }
    struct hf_slice type = hf_header_trim(hf_slice_of(content_type.data, size));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (type.size == strlen(types[i]) &&
            strncasecmp((const char *)type.data, types[i], type.size) == 0) {
            return true;
        }
    }
    return false;
}

static bool holds(struct hf_slice text, const char *part)
{
    return text.size != 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

const char *hf_wrong_endpoint(const struct hf_http_result *result)
{
    bool success = result->code >= 200 && result->code < 300;
    /* What servers of this kind say: ours, Go's, nginx and Apache. */
    static const char *const says[] = {"This port wants TLS", "HTTP request to an HTTPS server",
                                       "plain HTTP request was sent to HTTPS port",
                                       "plain HTTP to an SSL-enabled"};
    if (success) {
        return is_page(result->content_type)
                   ? "the answer is an HTML page, which no OTLP backend sends, so nothing counts "
                     "as "
                     "delivered: the endpoint leads elsewhere, as to a login or a start page"
                   : NULL;
    }
    for (size_t i = 0; result->code == 400 && i < sizeof(says) / sizeof(says[0]); i++) {
        if (holds(result->body, says[i])) {
            return "the server wants TLS on this port: set https:// in the endpoint";
        }
    }
    if (result->code == 505 && holds(result->body, "This port is for gRPC")) {
        return "the server speaks gRPC on this port, not HTTP/1.1: set the endpoint to its HTTP "
               "port, usually 4318, or use the exporter otlp";
    }
    return NULL;
}

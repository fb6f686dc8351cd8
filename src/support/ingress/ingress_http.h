/*
 * ingress_http: the HTTP listener of a push receiver. It checks credentials and metadata, reads the
 * body within its limits, hands it to `decode`, and answers once the batch is on disk.
 */
#pragma once

#include "ingress.h"
#include "support/settings/confighttp_server.h"

struct hf_ingress_http;

/* `config` and `key` are borrowed until close. `key`: see struct hf_ingress_port. Main thread, as
 * all of these. */
HF_MUST_USE enum hf_status hf_ingress_http_open(struct hf_ingress *ingress, const char *key,
                                                const struct hf_http_server_config *config,
                                                const struct hf_ingress_ops *ops, void *user,
                                                struct hf_ingress_http **ret, char *reterr);
HF_MUST_USE enum hf_status hf_ingress_http_start(struct hf_ingress_http *http, char *reterr);
/* `until_ns`: monotonic. NULL is no listener, here and below. */
void hf_ingress_http_stop(struct hf_ingress_http *http, uint64_t until_ns);
void hf_ingress_http_close(struct hf_ingress_http *http);

/* Is that the content type? Its parameters, behind a semicolon, do not matter. */
bool hf_ingress_has_type(const struct hf_http_request *request, const char *type);

/* An answer over HTTP of a protocol that has no form for it: `accepted` with an empty body, or the
 * reason as a line of plain text in `room` (HF_INGRESS_BODY_MAX), with 400 for what is taken in
 * part. Any thread. */
void hf_ingress_answer_text(const struct hf_ingress_result *result, int accepted, uint8_t *room,
                            struct hf_http_answer *answer);

/*
 * sections: the parts of the answer to `status`, each in a file of its name.
 */
#pragma once

#include "status.h"
#include "json/json_out.h"

void hf_status_process(const struct hf_status_source *source, struct hf_json_out *json);
void hf_status_components(const struct hf_status_source *source, struct hf_json_out *json);
void hf_status_pipelines(const struct hf_status_source *source, struct hf_json_out *json);
void hf_status_queues(const struct hf_status_source *source, struct hf_json_out *json);
void hf_status_exporters(const struct hf_status_source *source, struct hf_json_out *json);
void hf_status_certificates(const struct hf_status_source *source, struct hf_json_out *json);

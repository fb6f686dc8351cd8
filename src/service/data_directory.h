/*
 * data_directory: what the configuration says of the data directory. Main thread.
 */
#pragma once

#include <holdfast/storage.h>

#include "config/config.h"

struct hf_log;

/* Of the first extension that names one; NULL: none does. `config` may be NULL. */
const struct hf_storage_config *hf_service_storage_of(const struct hf_config *config);
/* Tells of the extensions that name one in vain. */
void hf_service_warn_of_storages(struct hf_log *log, const struct hf_config *config);

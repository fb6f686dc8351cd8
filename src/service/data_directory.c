#include "data_directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdfast/component.h>

#include "service.h"
#include "util/log/log.h"

/* What an extension says of the data directory; NULL: nothing. */
static const struct hf_storage_config *storage_named_by(const struct hf_config_component *extension)
{
    const struct hf_extension_ops *ops =
        extension->component != NULL ? extension->component->extension : NULL;
    return ops != NULL && ops->storage != NULL ? ops->storage(extension->config) : NULL;
}

const struct hf_storage_config *hf_service_storage_of(const struct hf_config *config)
{
    size_t count = 0;
    const struct hf_config_component *const *extensions =
        config != NULL ? hf_config_extensions(config, &count) : NULL;
    const struct hf_storage_config *storage = NULL;
    for (size_t i = 0; i < count && storage == NULL; i++) {
        storage = storage_named_by(extensions[i]);
    }
    return storage;
}

/* In the Go collector each would be a store of its own. */
void hf_service_warn_of_storages(struct hf_log *log, const struct hf_config *config)
{
    const struct hf_storage_config *first = hf_service_storage_of(config);
    size_t count = 0;
    const struct hf_config_component *const *extensions = hf_config_extensions(config, &count);
    for (size_t i = 0; i < count; i++) {
        const struct hf_storage_config *storage = storage_named_by(extensions[i]);
        if (storage != NULL && storage != first) {
            hf_log_line(log, HF_LOG_WARN, extensions[i]->id,
                        "has no effect: all queues are in the data directory, which the first "
                        "file_storage names");
        }
    }
}

static bool can_have(const char *directory)
{
    return (mkdir(directory, 0700) == 0 || errno == EEXIST) && access(directory, W_OK | X_OK) == 0;
}

char *hf_service_data_directory(const char *given, const char *fallback,
                                const struct hf_config *config)
{
    const struct hf_storage_config *storage = hf_service_storage_of(config);
    const char *environment = getenv("HOLDFAST_DATA_DIR");
    const char *chosen = fallback;
    if (given != NULL) {
        chosen = given;
    } else if (environment != NULL && environment[0] != '\0') {
        chosen = environment;
    } else if (storage != NULL && storage->directory != NULL) {
        chosen = storage->directory;
    } else if (chosen == NULL) {
        chosen = can_have(HF_SERVICE_SYSTEM_DIRECTORY) ? HF_SERVICE_SYSTEM_DIRECTORY
                                                       : HF_SERVICE_LOCAL_DIRECTORY;
    }
    return strdup(chosen);
}

#include "basicauth_config.h"

#include <stddef.h>
#include <string.h>

const char *basic_check(const void *from)
{
    const struct basic_config *config = from;
    const struct client_config *client = config->client;
    bool serves = config->htpasswd.file != NULL ||
                  (config->htpasswd.content != NULL && config->htpasswd.content[0] != '\0');
    if (config->htpasswd.provider.type != HF_VALUE_NONE ||
        (client != NULL && client->provider.type != HF_VALUE_NONE)) {
        return "secret_provider is not supported; use file, username_file and password_file";
    }
    if (!serves && client == NULL) {
        return "no credentials: set htpasswd (file or inline) or client_auth";
    }
    if (serves && client != NULL) {
        return "htpasswd and client_auth exclude each other: one asks, the other sends";
    }
    bool has_name = client != NULL && client->username != NULL && client->username[0] != '\0';
    if (client != NULL && client->username_file == NULL &&
        (!has_name || strchr(client->username, ':') != NULL)) {
        return "client_auth: username: expected a name without a colon";
    }
    if (has_name &&
        strlen(client->username) + 2 + (client->password != NULL ? strlen(client->password) : 0) >
            BASIC_CREDENTIALS_MAX) {
        return "client_auth: user name and password are longer than 510 bytes";
    }
    return NULL;
}

static const struct hf_field htpasswd_fields[] = {
    {.key = "file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct htpasswd_config, file),
     .help = "An htpasswd file, read again when it changes."},
    {.key = "inline",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct htpasswd_config, content),
     .help = "The same as text: user:hash lines; bcrypt, apr1, {SHA}, {SSHA}, crypt or plain; they "
             "stand over the file's."},
    {.key = "secret_provider",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct htpasswd_config, provider),
     .help = "Not supported."},
    HF_FIELDS_END,
};

static const struct hf_field client_fields[] = {
    {.key = "username",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, username),
     .help = "Name to send."},
    {.key = "username_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, username_file),
     .help = "A file with the name, read again when it changes; it wins over username."},
    {.key = "password",
     .type = HF_FIELD_SECRET,
     .offset = offsetof(struct client_config, password),
     .help = "Password to send."},
    {.key = "password_file",
     .type = HF_FIELD_STRING,
     .offset = offsetof(struct client_config, password_file),
     .help = "A file with the password, read again when it changes; it wins over password."},
    {.key = "secret_provider",
     .type = HF_FIELD_VALUE,
     .offset = offsetof(struct client_config, provider),
     .help = "Not supported."},
    HF_FIELDS_END,
};

const struct hf_field basic_fields[] = {
    {.key = "htpasswd",
     .type = HF_FIELD_STRUCT,
     .offset = offsetof(struct basic_config, htpasswd),
     .inner = htpasswd_fields,
     .help = "Who may send here."},
    {.key = "client_auth",
     .type = HF_FIELD_OPTIONAL,
     .offset = offsetof(struct basic_config, client),
     .inner = client_fields,
     .inner_size = sizeof(struct client_config),
     .help = "What an exporter sends."},
    HF_FIELDS_END,
};

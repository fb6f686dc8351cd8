#include "basicauth_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/component.h>

#include "util/base64.h"
#include "util/time/clock.h"

/* Either text, without the blanks at its end; the file wins. `room` has BASIC_CREDENTIALS_MAX
 * bytes. */
static enum hf_status read_part(const char *text, const char *path, char *room, char *reterr)
{
    char *content = NULL;
    if (path == NULL) {
        snprintf(room, BASIC_CREDENTIALS_MAX, "%s", text != NULL ? text : "");
        return HF_OK;
    }
    enum hf_status status = hf_file_watch_read_secret(path, &content, reterr);
    if (status != HF_OK) {
        return status;
    }
    int size = snprintf(room, BASIC_CREDENTIALS_MAX, "%s", content);
    free(content);
    if (size >= (int)BASIC_CREDENTIALS_MAX) {
        snprintf(reterr, HF_ERROR_MAX, "%s is longer than %u bytes", path,
                 BASIC_CREDENTIALS_MAX - 1);
        return HF_TOO_LARGE;
    }
    return HF_OK;
}

static enum hf_status make_value(struct basic_client *client, char *reterr)
{
    const struct client_config *config = client->config;
    char user[BASIC_CREDENTIALS_MAX], password[BASIC_CREDENTIALS_MAX], both[BASIC_CREDENTIALS_MAX];
    enum hf_status status = read_part(config->username, config->username_file, user, reterr);
    if (status == HF_OK) {
        status = read_part(config->password, config->password_file, password, reterr);
    }
    if (status != HF_OK) {
        return status;
    }
    if (snprintf(both, sizeof(both), "%s:%s", user, password) >= (int)sizeof(both)) {
        snprintf(reterr, HF_ERROR_MAX, "user name and password are longer than %u bytes",
                 BASIC_CREDENTIALS_MAX - 2);
        return HF_TOO_LARGE;
    }
    memcpy(client->value, BASIC_SCHEME, sizeof(BASIC_SCHEME) - 1);
    size_t used = sizeof(BASIC_SCHEME) - 1;
    used += hf_base64_print(hf_slice_text(both), client->value + used);
    client->value[used] = '\0';
    return HF_OK;
}

void basic_client_refresh(struct basic_client *client)
{
    char error[HF_ERROR_MAX];
    uint64_t now_ns = hf_clock_coarse_ns();
    struct hf_file_watch *user = &client->user_watch, *password = &client->password_watch;
    bool user_changed = user->path != NULL && hf_file_watch_changed(user, now_ns, BASIC_LOOK_NS);
    bool password_changed =
        password->path != NULL && hf_file_watch_changed(password, now_ns, BASIC_LOOK_NS);
    if ((user_changed || password_changed) && make_value(client, error) != HF_OK) {
        hf_node_log(client->node, HF_LOG_WARN, "client_auth stays as it was: %s", error);
    }
}

enum hf_status basic_client_open(struct basic_client *client, struct hf_node *node,
                                 const struct client_config *config, char *reterr)
{
    client->node = node;
    client->config = config;
    client->user_watch.path = config != NULL ? config->username_file : NULL;
    client->password_watch.path = config != NULL ? config->password_file : NULL;
    enum hf_status status = config != NULL ? make_value(client, reterr) : HF_OK;
    if (status == HF_OK) {
        basic_client_refresh(client); /* what is read now is the state to compare with */
    }
    return status;
}

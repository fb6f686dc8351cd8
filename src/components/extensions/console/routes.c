#include "routes.h"

#include <string.h>

#include "pages.h"

static const struct hf_console_route routes[] = {
    {"/", HF_CONSOLE_LIVE, "Map", "/", hf_console_show_map},
    {"/component", HF_CONSOLE_LIVE, "Component", "/", hf_console_show_component},
    {"/queues", HF_CONSOLE_LIVE, "Queues", "/queues", hf_console_show_queues},
    {"/queue", HF_CONSOLE_LIVE, "Queue", "/queues", hf_console_show_queue},
    {"/letters", HF_CONSOLE_LIVE, "Dead letters", "/letters", hf_console_show_letters},
    {"/letters/of", HF_CONSOLE_SLOW, "Dead letters", "/letters", hf_console_show_letters_of},
    {"/letters/ask", HF_CONSOLE_CHANGE, "Dead letters", "/letters", hf_console_ask_letters},
    {"/letters/do", HF_CONSOLE_CHANGE, "Dead letters", "/letters", hf_console_change_letters},
    {"/letters/export", HF_CONSOLE_CHANGE, "Dead letters", "/letters", hf_console_export_letters},
    {"/records", HF_CONSOLE_SLOW, "Records", "/records", hf_console_show_records},
    {"/record", HF_CONSOLE_SLOW, "Record", "/records", hf_console_show_record},
    {"/outages", HF_CONSOLE_LIVE, "Outages", "/outages", hf_console_show_outages},
    {"/certificates", HF_CONSOLE_LIVE, "Certificates", "/certificates",
     hf_console_show_certificates},
    {"/validate", HF_CONSOLE_SLOW, "Validate", "/validate", hf_console_show_validate},
    {"/validate", HF_CONSOLE_CHANGE, "Validate", "/validate", hf_console_run_validate},
    {"/reloads", HF_CONSOLE_LIVE, "Reloads", "/reloads", hf_console_show_reloads},
};

const struct hf_console_route *hf_console_route_find(const char *method, const char *path,
                                                     bool *ret_is_other)
{
    bool is_post = strcmp(method, "POST") == 0;
    bool is_get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    *ret_is_other = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (strcmp(routes[i].path, path) == 0) {
            bool is_change = routes[i].kind == HF_CONSOLE_CHANGE;
            if ((is_change && is_post) || (!is_change && is_get)) {
                return &routes[i];
            }
            *ret_is_other = true;
        }
    }
    return NULL;
}

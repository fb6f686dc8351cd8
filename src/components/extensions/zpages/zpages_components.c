/*
 * zpages_components: servicez, pipelinez, extensionz and featurez.
 */
#include "zpages.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "http/server.h"

/* ---- servicez ---- */

static const char *const pair_columns[] = {"Name", "Value", NULL};

static void put_pair(struct hf_html *html, const char *name, const char *value)
{
    hf_html_row(html);
    hf_html_cell(html, name);
    hf_html_cell(html, value);
    hf_html_end_row(html);
}

static void put_time(struct hf_html *html, const char *name, uint64_t unix_ns)
{
    hf_html_row(html);
    hf_html_cell(html, name);
    hf_html_raw(html, "<td>");
    hf_html_time(html, unix_ns);
    hf_html_raw(html, "</td>");
    hf_html_end_row(html);
}

void hf_zpages_service(const struct hf_node *node, uint64_t started_unix_ns, struct hf_html *html)
{
    struct utsname machine;
    char text[64];
    const char *directory = hf_node_directory(node);
    if (uname(&machine) != 0) {
        memset(&machine, 0, sizeof(machine));
    }
    hf_html_begin(html, "Service");
    hf_html_raw(html, "<h2>Build Info</h2>\n");
    hf_html_table(html, pair_columns);
    put_pair(html, "Command", "holdfast");
    put_pair(html, "Description", "Holdfast, a store-and-forward telemetry collector");
    put_pair(html, "Version", HF_VERSION);
    hf_html_end_table(html);
    hf_html_raw(html, "<h2>Runtime Info</h2>\n");
    hf_html_table(html, pair_columns);
    put_time(html, "StartTimestamp", started_unix_ns);
    put_pair(html, "OS", machine.sysname);
    put_pair(html, "Arch", machine.machine);
    snprintf(text, sizeof(text), "glibc %s", gnu_get_libc_version());
    put_pair(html, "Library", text);
    snprintf(text, sizeof(text), "%d", (int)getpid());
    put_pair(html, "PID", text);
    put_pair(html, "DataDirectory", directory != NULL ? directory : "-");
    hf_html_end_table(html);
    hf_html_raw(html, "<p><a href=\"/debug/pipelinez\">Pipelines</a><br>\n"
                      "<a href=\"/debug/extensionz\">Extensions</a><br>\n"
                      "<a href=\"/debug/featurez\">Features</a><br>\n"
                      "<a href=\"/debug/tracez\">Traces</a></p>\n");
    hf_html_end(html);
}

/* ---- one component ---- */

static const char *const place_names[HF_KIND_COUNT] = {"receiver", "processor", "exporter",
                                                       "extension", "connector"};

/* The component that a query asks for, and whether it was found. */
struct wanted {
    struct hf_html *html;
    const char *pipeline, *component, *kind; /* `pipeline` NULL: an extension */
    bool found;
};

static bool is_wanted(const struct wanted *wanted, const struct hf_component_view *view)
{
    if (wanted->found || strcmp(view->id, wanted->component) != 0) {
        return false;
    }
    if (wanted->pipeline == NULL || view->pipeline_id == NULL) {
        return wanted->pipeline == NULL && view->pipeline_id == NULL;
    }
    return strcmp(view->pipeline_id, wanted->pipeline) == 0 &&
           strcmp(place_names[view->place], wanted->kind) == 0;
}

static void show_wanted(void *user, const struct hf_component_view *view)
{
    struct wanted *wanted = user;
    struct hf_html *html = wanted->html;
    if (!is_wanted(wanted, view)) {
        return;
    }
    wanted->found = true;
    hf_html_table(html, pair_columns);
    put_pair(html, "Name", view->id);
    put_pair(html, "Type", view->component->type);
    put_pair(html, "Kind", place_names[view->component->kind]);
    put_pair(html, "Description", view->component->help);
    if (view->pipeline_id != NULL) {
        put_pair(html, "Pipeline", view->pipeline_id);
    }
    put_pair(html, "Status", hf_state_name(view->look.state));
    put_time(html, "StatusTimestamp", view->look.since_unix_ns);
    if (view->look.error[0] != '\0') {
        put_pair(html, "Error", view->look.error);
    }
    hf_html_end_table(html);
}

static void show_one(const struct hf_node *node, struct wanted *wanted)
{
    hf_node_view_components(node, show_wanted, wanted);
    if (!wanted->found) {
        hf_html_raw(wanted->html, "<p>There is no such component.</p>\n");
    }
}

/* ---- pipelinez ---- */

/* Pipelines are written as their components come by. */
struct pipeline_table {
    struct hf_html *html;
    const char *pipeline_id; /* of the row that is open; NULL: none */
    enum hf_kind place;      /* of the cell that is open */
};

static void close_row(struct pipeline_table *table)
{
    for (int place = table->place; table->pipeline_id != NULL && place <= HF_EXPORTER; place++) {
        hf_html_raw(table->html, place < HF_EXPORTER ? "</td><td>" : "</td>");
    }
    if (table->pipeline_id != NULL) {
        hf_html_end_row(table->html);
    }
}

static void open_row(struct pipeline_table *table, const struct hf_component_view *view)
{
    close_row(table);
    table->pipeline_id = view->pipeline_id;
    table->place = HF_RECEIVER;
    hf_html_row(table->html);
    hf_html_cell(table->html, view->pipeline_id);
    hf_html_cell(table->html, hf_signal_name(view->signal));
    hf_html_cell(table->html, "false"); /* a batch never changes; a processor makes another */
    hf_html_raw(table->html, "<td>");
}

static void put_link(struct hf_html *html, const struct hf_component_view *view)
{
    hf_html_raw(html, "<a href=\"/debug/pipelinez?pipelinenamez=");
    hf_html_query(html, view->pipeline_id);
    hf_html_raw(html, "&amp;componentnamez=");
    hf_html_query(html, view->id);
    hf_html_raw(html, "&amp;componentkindz=");
    hf_html_raw(html, place_names[view->place]);
    hf_html_raw(html, "\">");
    hf_html_text(html, view->id);
    hf_html_raw(html, "</a>");
    if (view->component->kind == HF_CONNECTOR) {
        hf_html_raw(html, " (connector)");
    }
    if (view->look.state != HF_STATE_OK) {
        hf_html_raw(html, " <strong>");
        hf_html_text(html, hf_state_name(view->look.state));
        hf_html_raw(html, "</strong>");
    }
    hf_html_raw(html, "<br>");
}

static void add_component(void *user, const struct hf_component_view *view)
{
    struct pipeline_table *table = user;
    if (view->pipeline_id == NULL) {
        return;
    }
    if (table->pipeline_id != view->pipeline_id) {
        open_row(table, view);
    }
    while (table->place < view->place) {
        hf_html_raw(table->html, "</td><td>");
        table->place++;
    }
    put_link(table->html, view);
}

void hf_zpages_pipelines(const struct hf_node *node, const struct hf_http_request *request,
                         struct hf_html *html)
{
    static const char *const columns[] = {"FullName",   "InputType", "MutatesData", "Receivers",
                                          "Processors", "Exporters", NULL};
    struct wanted wanted = {.html = html,
                            .pipeline = hf_http_query(request, "pipelinenamez"),
                            .component = hf_http_query(request, "componentnamez"),
                            .kind = hf_http_query(request, "componentkindz")};
    struct pipeline_table table = {.html = html};
    hf_html_begin(html, "Pipelines");
    hf_html_table(html, columns);
    hf_node_view_components(node, add_component, &table);
    close_row(&table);
    hf_html_end_table(html);
    if (wanted.pipeline != NULL && wanted.component != NULL && wanted.kind != NULL) {
        show_one(node, &wanted);
    }
    hf_html_end(html);
}

/* ---- extensionz ---- */

static void add_extension(void *user, const struct hf_component_view *view)
{
    struct hf_html *html = user;
    if (view->pipeline_id != NULL) {
        return;
    }
    hf_html_row(html);
    hf_html_raw(html, "<td><a href=\"/debug/extensionz?extensionnamez=");
    hf_html_query(html, view->id);
    hf_html_raw(html, "\">");
    hf_html_text(html, view->id);
    hf_html_raw(html, "</a></td>");
    hf_html_cell(html, view->component->help);
    hf_html_end_row(html);
}

void hf_zpages_extensions(const struct hf_node *node, const struct hf_http_request *request,
                          struct hf_html *html)
{
    static const char *const columns[] = {"FullName", "Description", NULL};
    struct wanted wanted = {.html = html, .component = hf_http_query(request, "extensionnamez")};
    hf_html_begin(html, "Extensions");
    hf_html_table(html, columns);
    hf_node_view_components(node, add_extension, html);
    hf_html_end_table(html);
    if (wanted.component != NULL) {
        show_one(node, &wanted);
    }
    hf_html_end(html);
}

/* ---- featurez ---- */

void hf_zpages_features(struct hf_html *html)
{
    static const char *const columns[] = {"ID",   "Enabled", "Description", "Stage",
                                          "From", "To",      "Reference",   NULL};
    hf_html_begin(html, "Feature Gates");
    hf_html_table(html, columns);
    hf_html_end_table(html);
    hf_html_raw(html, "<p>There are none: --feature-gates is accepted without effect.</p>\n");
    hf_html_end(html);
}

#include "pods.h"

#include <ctype.h>
#include <string.h>

#include "kubernetes/quantity.h"

#define AT(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool same(struct hf_slice a, struct hf_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The element of a list whose `name` is that. */
static const struct hf_json *named(const struct hf_json *list, struct hf_slice name)
{
    const struct hf_json *one = hf_json_first(list);
    while (one != NULL && !same(hf_json_text_of(one, "name"), name)) {
        one = one->next;
    }
    return one;
}

const struct hf_json *kubelet_pod_find(const struct hf_json *list, struct hf_slice uid)
{
    const struct hf_json *pod = hf_json_first(hf_json_get(list, "items"));
    while (pod != NULL && !same(hf_json_text_of(hf_json_get(pod, "metadata"), "uid"), uid)) {
        pod = pod->next;
    }
    return pod;
}

static double amount(const struct hf_json *container, const char *group, const char *name)
{
    const struct hf_json *value = hf_json_at(container, AT("resources", group, name));
    struct hf_kube_quantity quantity;
    if (value != NULL && value->kind == HF_JSON_INT) {
        return (double)value->integer;
    }
    return hf_kube_quantity_read(hf_json_text(value), &quantity)
               ? hf_kube_quantity_double(&quantity)
               : 0;
}

static struct kubelet_limits limits_of(const struct hf_json *container)
{
    return (struct kubelet_limits){
        .cpu_request = amount(container, "requests", "cpu"),
        .cpu_limit = amount(container, "limits", "cpu"),
        .memory_request = amount(container, "requests", "memory"),
        .memory_limit = amount(container, "limits", "memory"),
    };
}

static const struct hf_json *containers_of(const struct hf_json *pod)
{
    return hf_json_at(pod, AT("spec", "containers"));
}

struct kubelet_limits kubelet_pod_container_limits(const struct hf_json *pod, struct hf_slice name)
{
    return limits_of(named(containers_of(pod), name));
}

/* A container without a limit may use what it wants, so there is no sum. */
static void add(double *sum, bool *has_all, double one)
{
    *has_all = *has_all && one != 0;
    *sum = *has_all ? *sum + one : 0;
}

struct kubelet_limits kubelet_pod_limits(const struct hf_json *pod)
{
    struct kubelet_limits sum = {0};
    bool has_all[4] = {true, true, true, true};
    for (const struct hf_json *one = hf_json_first(containers_of(pod)); one != NULL;
         one = one->next) {
        struct kubelet_limits limits = limits_of(one);
        add(&sum.cpu_request, &has_all[0], limits.cpu_request);
        add(&sum.cpu_limit, &has_all[1], limits.cpu_limit);
        add(&sum.memory_request, &has_all[2], limits.memory_request);
        add(&sum.memory_limit, &has_all[3], limits.memory_limit);
    }
    return sum;
}

/* "containerd://abc": "abc". */
static struct hf_slice without_scheme(struct hf_slice id)
{
    size_t at = 0;
    while (at < id.size && (isalnum(id.data[at]) || id.data[at] == '_' || id.data[at] == '-')) {
        at++;
    }
    bool has_scheme = at > 0 && id.size - at >= 3 && memcmp(id.data + at, "://", 3) == 0;
    return has_scheme ? hf_slice_of(id.data + at + 3, id.size - at - 3) : id;
}

struct hf_slice kubelet_pod_container_id(const struct hf_json *pod, struct hf_slice name)
{
    const struct hf_json *status = hf_json_get(pod, "status");
    const struct hf_json *container = named(hf_json_get(status, "containerStatuses"), name);
    if (container == NULL) {
        container = named(hf_json_get(status, "initContainerStatuses"), name);
    }
    return without_scheme(hf_json_text_of(container, "containerID"));
}

const struct hf_json *kubelet_pod_volume(const struct hf_json *pod, struct hf_slice name)
{
    return named(hf_json_at(pod, AT("spec", "volumes")), name);
}

#include "tenants.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"
#include "raw.h"
#include "util/checksum.h"

#define ROW_MAGIC UINT32_C(0x31534e54) /* "TNS1" */
#define ROOM_MIN 64u

struct row_head {
    uint32_t magic;
    uint32_t crc; /* of all with this field zero */
    uint16_t version;
    uint16_t reserved16;
    uint32_t count;
};

static_assert(sizeof(struct row_head) == 16, "no padding");

/* ---- a segment ---- */

/* `count` when it is not there. */
static uint32_t find(const struct wal_tenant_table *table, uint64_t tenant)
{
    uint32_t i = 0;

    while (i < table->count && table->items[i].tenant != tenant) {
        i++;
    }
    return i;
}

uint64_t wal_tenant_of(const struct wal_tenant_table *table, uint64_t tenant)
{
    bool has_room = table == NULL || table->count < WAL_TENANTS_MAX;

    return has_room || find(table, tenant) < table->count ? tenant : WAL_TENANT_REST;
}

void wal_tenant_table_add(struct wal_tenant_table *table, uint64_t tenant, uint64_t bytes)
{
    tenant = wal_tenant_of(table, tenant);
    uint32_t i = find(table, tenant);

    if (i == table->count) {
        table->items[table->count++] = (struct wal_tenant_bytes){.tenant = tenant};
    }
    table->items[i].bytes += bytes;
}

size_t wal_tenant_row_write(const struct wal_tenant_table *table, uint8_t *ret_row)
{
    struct row_head head = {
        .magic = ROW_MAGIC, .version = WAL_FORMAT_VERSION, .count = table->count};
    size_t size = sizeof(head) + table->count * sizeof(table->items[0]);

    memcpy(ret_row, &head, sizeof(head));
    memcpy(ret_row + sizeof(head), table->items, size - sizeof(head));
    head.crc = hf_crc32c(0, ret_row, size);
    memcpy(ret_row, &head, sizeof(head));
    return size;
}

bool wal_tenant_row_read(struct hf_slice row, struct wal_tenant_table *ret_table)
{
    struct row_head head;

    if (row.size < sizeof(head)) {
        return false;
    }
    memcpy(&head, row.data, sizeof(head));
    uint32_t crc = head.crc;
    head.crc = 0;
    uint32_t sum = hf_crc32c(0, &head, sizeof(head));
    sum = hf_crc32c(sum, row.data + sizeof(head), row.size - sizeof(head));
    if (head.magic != ROW_MAGIC || head.version == 0 || sum != crc ||
        head.count > WAL_TENANTS_MAX + 1 ||
        row.size - sizeof(head) != head.count * sizeof(ret_table->items[0])) {
        return false;
    }
    ret_table->count = head.count;
    memcpy(ret_table->items, row.data + sizeof(head), row.size - sizeof(head));
    return true;
}

struct load {
    int fd;
    struct wal_tenant_table *table;
    bool is_found;
};

static bool visit_row(void *user, uint64_t key, uint64_t offset, uint64_t size)
{
    struct load *load = user;
    uint8_t row[WAL_TENANT_ROW_MAX];

    if (key == WAL_KEY_TENANTS && size <= sizeof(row) &&
        wal_raw_read(load->fd, row, (size_t)size, offset) == WAL_OK) {
        load->is_found = wal_tenant_row_read(hf_slice_of(row, (size_t)size), load->table);
    }
    return key < WAL_KEY_TENANTS;
}

bool wal_tenant_table_load(int directory_fd, const char *name, struct wal_tenant_table *ret_table)
{
    struct load load = {.table = ret_table};
    struct stat info;

    load.fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (load.fd < 0) {
        return false;
    }
    if (fstat(load.fd, &info) == 0) {
        (void)!wal_pages_walk(load.fd, (uint64_t)info.st_size, NULL, visit_row, &load);
    }
    (void)close(load.fd);
    return load.is_found;
}

/* ---- the queue ---- */

void wal_tenants_release(struct wal_tenants *tenants)
{
    free(tenants->items);
    *tenants = (struct wal_tenants){0};
}

/* Its place, or that where it would be put. There is a free one. */
static struct wal_tenant_bytes *place_of(const struct wal_tenants *tenants, uint64_t tenant)
{
    /* The numbers are hashes, but of one that sends them. */
    size_t at = (size_t)(tenant * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (tenants->room - 1);

    while (tenants->items[at].tenant != 0 && tenants->items[at].tenant != tenant) {
        at = (at + 1) & (tenants->room - 1);
    }
    return &tenants->items[at];
}

uint64_t wal_tenants_bytes(const struct wal_tenants *tenants, uint64_t tenant)
{
    return tenants->room == 0 ? 0 : place_of(tenants, tenant)->bytes;
}

/* Another table for those that have bytes, with room for as many again. */
static enum wal_status rebuild(struct wal_tenants *tenants)
{
    struct wal_tenants rebuilt = {.room = ROOM_MIN};
    size_t count = 0;

    for (size_t i = 0; i < tenants->room; i++) {
        count += tenants->items[i].bytes != 0;
    }
    while (rebuilt.room < 4 * count) {
        rebuilt.room *= 2;
    }
    rebuilt.items = calloc(rebuilt.room, sizeof(*rebuilt.items));
    if (rebuilt.items == NULL) {
        return WAL_NOMEM;
    }
    for (size_t i = 0; i < tenants->room; i++) {
        if (tenants->items[i].bytes != 0) {
            *place_of(&rebuilt, tenants->items[i].tenant) = tenants->items[i];
            rebuilt.used++;
        }
    }
    free(tenants->items);
    *tenants = rebuilt;
    return WAL_OK;
}

enum wal_status wal_tenants_add(struct wal_tenants *tenants, uint64_t tenant, uint64_t bytes)
{
    if (2 * (tenants->used + 1) > tenants->room && rebuild(tenants) != WAL_OK) {
        return WAL_NOMEM;
    }
    struct wal_tenant_bytes *place = place_of(tenants, tenant);
    tenants->used += place->tenant == 0;
    place->tenant = tenant;
    place->bytes += bytes;
    return WAL_OK;
}

void wal_tenants_remove(struct wal_tenants *tenants, uint64_t tenant, uint64_t bytes)
{
    if (tenants->room != 0) {
        struct wal_tenant_bytes *place = place_of(tenants, tenant);
        place->bytes -= bytes < place->bytes ? bytes : place->bytes;
    }
}

#include "elf_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/hex.h"

#define FUNCTIONS_MAX 1000000u
#define SEGMENTS_MAX 16u

struct function {
    uint64_t address, size;
    const char *name; /* in the mapped file */
};

struct segment {
    uint64_t offset, size, address;
};

struct hf_elf_symbols {
    const uint8_t *bytes; /* the mapped file */
    size_t size;
    struct function *functions; /* by address */
    size_t count;
    struct segment segments[SEGMENTS_MAX]; /* that are loaded */
    size_t segment_count;
    char build_id[ELF_BUILD_ID_MAX];
};

/* Is that range within the file? Everything in a file may be wrong. */
static bool holds(const struct hf_elf_symbols *symbols, uint64_t offset, uint64_t size)
{
    return offset <= symbols->size && size <= symbols->size - offset;
}

static const void *at(const struct hf_elf_symbols *symbols, uint64_t offset)
{
    return symbols->bytes + offset;
}

static enum hf_status map_file(const char *path, struct hf_elf_symbols *symbols)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return HF_IO;
    }
    bool good = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                about.st_size > (off_t)sizeof(ElfW(Ehdr));
    void *bytes =
        good ? mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close(fd);
    if (bytes == MAP_FAILED) {
        return HF_IO;
    }
    symbols->bytes = bytes;
    symbols->size = (size_t)about.st_size;
    return HF_OK;
}

/* ---- segments and the build id ---- */

static void read_notes(struct hf_elf_symbols *symbols, uint64_t offset, uint64_t size)
{
    while (size >= sizeof(ElfW(Nhdr)) && holds(symbols, offset, size)) {
        ElfW(Nhdr) note;
        memcpy(&note, at(symbols, offset), sizeof(note));
        uint64_t name_size = ((uint64_t)note.n_namesz + 3) & ~UINT64_C(3);
        uint64_t text_size = ((uint64_t)note.n_descsz + 3) & ~UINT64_C(3);
        uint64_t whole = sizeof(note) + name_size + text_size;
        if (whole > size) {
            return;
        }
        const uint8_t *id = at(symbols, offset + sizeof(note) + name_size);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz * 2 < ELF_BUILD_ID_MAX) {
            size_t digits = hf_hex_write(hf_slice_of(id, note.n_descsz), symbols->build_id);
            symbols->build_id[digits] = '\0';
        }
        offset += whole;
        size -= whole;
    }
}

static void read_segments(struct hf_elf_symbols *symbols, const ElfW(Ehdr) * header)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        uint64_t offset = header->e_phoff + (uint64_t)i * sizeof(ElfW(Phdr));
        ElfW(Phdr) segment;
        if (!holds(symbols, offset, sizeof(segment))) {
            return;
        }
        memcpy(&segment, at(symbols, offset), sizeof(segment));
        if (segment.p_type == PT_LOAD && symbols->segment_count < SEGMENTS_MAX) {
            symbols->segments[symbols->segment_count++] =
                (struct segment){segment.p_offset, segment.p_filesz, segment.p_vaddr};
        } else if (segment.p_type == PT_NOTE) {
            read_notes(symbols, segment.p_offset, segment.p_filesz);
        }
    }
}

/* ---- functions ---- */

static bool find_section(const struct hf_elf_symbols *symbols, const ElfW(Ehdr) * header,
                         uint32_t type, ElfW(Shdr) * ret_section)
{
    for (unsigned i = 0; i < header->e_shnum; i++) {
        uint64_t offset = header->e_shoff + (uint64_t)i * sizeof(ElfW(Shdr));
        if (!holds(symbols, offset, sizeof(*ret_section))) {
            return false;
        }
        memcpy(ret_section, at(symbols, offset), sizeof(*ret_section));
        if (ret_section->sh_type == type) {
            return holds(symbols, ret_section->sh_offset, ret_section->sh_size);
        }
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    const struct function *one = a;
    const struct function *two = b;
    return one->address < two->address ? -1 : one->address > two->address;
}

/* The texts that a table of symbols names. */
struct names {
    const char *texts;
    uint64_t size; /* ends with a NUL */
};

static void add_function(struct hf_elf_symbols *symbols, const ElfW(Sym) * symbol,
                         const struct names *names)
{
    int type = symbol->st_info & 0xf;
    if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol->st_shndx != SHN_UNDEF &&
        symbol->st_name < names->size && names->texts[symbol->st_name] != '\0') {
        symbols->functions[symbols->count++] =
            (struct function){symbol->st_value, symbol->st_size, names->texts + symbol->st_name};
    }
}

static enum hf_status read_functions(struct hf_elf_symbols *symbols, const ElfW(Ehdr) * header)
{
    ElfW(Shdr) table;
    ElfW(Shdr) texts;
    uint64_t texts_at = header->e_shoff;
    if (!find_section(symbols, header, SHT_SYMTAB, &table) &&
        !find_section(symbols, header, SHT_DYNSYM, &table)) {
        return HF_OK; /* it has no names */
    }
    texts_at += (uint64_t)table.sh_link * sizeof(texts);
    if (table.sh_link >= header->e_shnum || !holds(symbols, texts_at, sizeof(texts))) {
        return HF_INVALID;
    }
    memcpy(&texts, at(symbols, texts_at), sizeof(texts));
    if (texts.sh_size == 0 || !holds(symbols, texts.sh_offset, texts.sh_size)) {
        return HF_INVALID;
    }
    const struct names names = {at(symbols, texts.sh_offset), texts.sh_size};
    uint64_t count = table.sh_size / sizeof(ElfW(Sym));
    if (names.texts[names.size - 1] != '\0' || count > FUNCTIONS_MAX) {
        return HF_INVALID;
    }
    symbols->functions = calloc(count + 1, sizeof(*symbols->functions));
    if (symbols->functions == NULL) {
        return HF_NOMEM;
    }
    for (uint64_t i = 0; i < count; i++) {
        ElfW(Sym) symbol;
        memcpy(&symbol, at(symbols, table.sh_offset + i * sizeof(symbol)), sizeof(symbol));
        add_function(symbols, &symbol, &names);
    }
    qsort(symbols->functions, symbols->count, sizeof(*symbols->functions), compare);
    return HF_OK;
}

/* ---- for others ---- */

enum hf_status hf_elf_symbols_read(const char *path, struct hf_elf_symbols **ret_symbols)
{
    ElfW(Ehdr) header;
    struct hf_elf_symbols *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL) {
        return HF_NOMEM;
    }
    enum hf_status status = map_file(path, symbols);
    if (status == HF_OK) {
        memcpy(&header, symbols->bytes, sizeof(header));
        bool is_elf = memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                      header.e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
                      header.e_phentsize == sizeof(ElfW(Phdr)) &&
                      (header.e_shnum == 0 || header.e_shentsize == sizeof(ElfW(Shdr)));
        status = is_elf ? HF_OK : HF_INVALID;
    }
    if (status == HF_OK) {
        read_segments(symbols, &header);
        status = read_functions(symbols, &header);
    }
    if (status != HF_OK) {
        hf_elf_symbols_free(symbols);
        return status;
    }
    *ret_symbols = symbols;
    return HF_OK;
}

void hf_elf_symbols_free(struct hf_elf_symbols *symbols)
{
    if (symbols == NULL) {
        return;
    }
    if (symbols->bytes != NULL) {
        munmap((void *)(uintptr_t)symbols->bytes, symbols->size);
    }
    free(symbols->functions);
    free(symbols);
}

const char *hf_elf_symbols_find(const struct hf_elf_symbols *symbols, uint64_t offset)
{
    size_t segment = 0;
    while (segment < symbols->segment_count &&
           offset - symbols->segments[segment].offset >= symbols->segments[segment].size) {
        segment++; /* unsigned: what lies before it is far behind it */
    }
    if (segment == symbols->segment_count) {
        return NULL;
    }
    uint64_t address =
        offset - symbols->segments[segment].offset + symbols->segments[segment].address;
    size_t low = 0;
    size_t high = symbols->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->functions[middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return NULL;
    }
    const struct function *found = &symbols->functions[low - 1];
    /* A function without a size reaches to the next one. */
    return found->size == 0 || address - found->address < found->size ? found->name : NULL;
}

const char *hf_elf_symbols_build_id(const struct hf_elf_symbols *symbols)
{
    return symbols->build_id;
}

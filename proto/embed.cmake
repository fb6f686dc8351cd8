# cmake -DIN=descriptors.bin -DOUT=descriptors.c -P embed.cmake: the compiled definitions as an array of bytes.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include <stddef.h>\n#include <stdint.h>\n"
  "extern const uint8_t hf_descriptors[];\nextern const size_t hf_descriptors_size;\n"
  "const uint8_t hf_descriptors[] = {${bytes}};\n"
  "const size_t hf_descriptors_size = sizeof(hf_descriptors);\n")

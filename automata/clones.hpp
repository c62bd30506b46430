#pragma once

// A function compiled twice, the faster one chosen when the program starts; avx2 has no fused
// multiply-add, so both give the same bits.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__)
#define ASSAY_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define ASSAY_CLONES
#endif

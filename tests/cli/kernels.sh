#!/usr/bin/env bash
# The same certificate bytes whatever kernels the processor chooses at run time. What can choose: glibc (exp and the like have
# variants for FMA, with AVX2 or FMA4, and for plain SSE2, which round otherwise now and then; AVX-512 moves memory and strings alone), and a BLAS.
# assay links no BLAS: its products are Eigen's, compiled in for one vector width and without a choice at run time, so there is no
# AVX2 or AVX-512 path of Eigen to switch off; a build for another width is another program, and is not compared here.
# Compared are the processor's own variants with AVX-512 off, AVX2 off too, and all of AVX and FMA off, and, should a BLAS ever be linked,
# two of OpenBLAS's kernels (until then the same program runs twice more). The last line says which of these did differ here.
set -euo pipefail
command -v python3 > /dev/null || { echo "SKIPPED: python3 is not installed; certificates were NOT compared under two kernels"; exit 77; }
assay=$ASSAY_BIN/assay
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

plain=(env)
sse2=(env GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-AVX,-FMA,-FMA4)
avx2=(env GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ)
avx=(env GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX2,-FMA)
haswell=(env OPENBLAS_CORETYPE=Haswell)
prescott=(env OPENBLAS_CORETYPE=Prescott)

if ldd "$assay" | grep -qiE 'blas|mkl|lapack'; then blas="two BLAS kernels"; else blas="no BLAS linked, Eigen's products have no choice at run time"; fi
cat > "$dir/libm.py" << 'PY'
import hashlib, math
print(hashlib.sha256("".join(math.exp(-i * 1.37e-4).hex() for i in range(100000)).encode()).hexdigest())
PY
exps() { "$@" python3 "$dir/libm.py"; }
own=$(exps "${plain[@]}")
libm=
for other in avx2 avx sse2; do
  declare -n environment=$other
  if [ "$(exps "${environment[@]}")" = "$own" ]; then how="rounds alike"; else how="rounds OTHERWISE"; fi
  libm+="exp held to $other $how, "
done

python3 "$ASSAY_SOURCE/tests/cli/bound_models.py" "$dir"
python3 "$ASSAY_SOURCE/tests/cli/tiny_model.py" "$dir/tiny"
cat > "$dir/batch.jsonl" << 'LINES'
{"id": "a", "tokens": [[0, 1, 2, 3, 4, 5], [0, 1, 2], [5]], "quantity": {"logit_difference": [1, 2]}}
{"id": "b", "suffix": [1, 2], "max_length": 5, "quantity": {"logit": 4}}
{"id": "c", "tokens": [[0, 1, 2], [3, 4, 5]], "quantity": {"residual_mid": [1, 0, 0, 0, -1, 0, 0, 2]}}
LINES
cat > "$dir/text.jsonl" << 'LINES'
{"id": "a", "suffix": [3, 14, 15], "quantity": {"feature": 3}}
{"id": "b", "suffix": [9, 2, 6], "quantity": {"logit_difference": [5, 12]}}
LINES
printf '%s\n' 'assay-request 1' 'decoder min-p 1/10 temperature 1 order after' 'feature-off off 3 suffix 3 14 15' \
  'token-out never 5 suffix 3 14 15' end > "$dir/request"

certificates() { # NAME, then the words of an environment
  local to=$dir/$1 prove=0
  shift
  mkdir "$to"
  for model in absolute relative rotary attention gelu; do
    "$@" "$assay" --quiet bound --model "$dir/$model" --batch "$dir/batch.jsonl" --nodes 40 --enumerate 0 \
      --certificate "$to/$model" > "$to/$model.json"
  done
  "$@" "$assay" --quiet bound --model "$dir/tiny/model" --sae "$dir/tiny/sae" --batch "$dir/text.jsonl" --nodes 8 \
    --certificate "$to/text" > "$to/text.json"
  "$@" "$assay" --quiet prove --model "$dir/tiny/model" --sae "$dir/tiny/sae" --request "$dir/request" --text "$dir/tiny/text" \
    --out "$to/proved" > "$to/proved.txt" || prove=$?
  [ "$prove" = 0 ] || [ "$prove" = 1 ] || [ "$prove" = 3 ] || fail "assay prove exits $prove"
  for file in absolute relative rotary attention gelu text; do
    [ "$(grep -c ' BOUND ' "$to/$file")" -ge 2 ] || fail "$file: no claims in the certificate"
  done
  sed -i 's/"seconds":[^,]*//' "$to"/*.json
}

certificates plain "${plain[@]}"
for other in avx2 avx sse2 haswell prescott; do
  declare -n environment=$other
  certificates "$other" "${environment[@]}"
  diff -rq "$dir/plain" "$dir/$other" || fail "$other: other bytes than under the processor's own kernels"
done
# The comparison can fail: one number altered is seen.
sed -i '0,/0x1\./s//0x1.8/' "$dir/sse2/absolute"
! diff -rq "$dir/plain" "$dir/sse2" > /dev/null || fail "an altered certificate compares equal"
echo "kernels: the same bytes (${libm%, }; $blas)"

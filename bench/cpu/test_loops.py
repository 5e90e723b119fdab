"""Tests of loops.py, on a listing of its own; those of the models need llvm-mca."""
import shutil, unittest

import loops

LISTING = """
; Assembly listing for method Some.Space.Sums`2[Some.Simd512`1[float],float]:Add[Some.Space.Five,Some.Sums`2+Pairs[float,float]](byref,ptr) (FullOpts)
; Emitting BLENDED_CODE for generic X64 + VEX + EVEX on Unix

G_M1_IG01:                ;; offset=0x0000
       push     rbp
       xor      eax, eax
       align    [0 bytes for IG02]

G_M1_IG02:                ;; offset=0x0010
       mov      rcx, qword ptr [rdi]

G_M1_IG03:                ;; offset=0x0020
       vmovups  zmm1, zmmword ptr [rsi]
       vbroadcastss zmm2, dword ptr [rdx]
       vfmadd231ps zmm0, zmm1, zmm2
       vfmadd231ps zmm3, zmm1, dword ptr [rdx+0x40] {1to16}
       vpermps  zmm4, zmm5, zmm6
       vmovups  zmmword ptr [rsp+0x40], zmm7
       vmovups  zmmword ptr [r8], zmm0
       inc      eax
       cmp      eax, ecx
       jl       SHORT G_M1_IG03

G_M1_IG04:                ;; offset=0x0050
       dec      r9d
       jne      G_M1_IG02
       ret

; Total bytes of code 96

; Assembly listing for method Some.Space.Copies:Run(ptr) (Tier0)

G_M2_IG01:                ;; offset=0x0000
       vmovups  ymm0, ymmword ptr [rdi]
       jmp      SHORT G_M2_IG01

; Total bytes of code 12
"""


class LoopsTests(unittest.TestCase):
    def setUp(self):
        self.methods = loops.methods(LISTING)
        self.found = [loop for method in self.methods for loop in loops.loops(method)]

    def test_innermost_loops_with_multiply_adds_are_found(self):
        self.assertEqual([("Sums.Add<Five, Pairs>", 0x20, 0x50)], [(loop.name, loop.first, loop.end) for loop in self.found])

    def test_methods_know_their_size(self):
        self.assertEqual([96, 12], [method.size for method in self.methods])

    def test_instructions_are_counted_by_kind(self):
        expected = {"fma": 2, "load": 3, "store": 1, "shuffle": 1, "stack": 1, "other": 3}
        self.assertEqual(expected, dict(loops.kinds(self.found[0].code)))

    def test_names_lose_types_and_namespaces(self):
        self.assertEqual("Copies.Run", loops.short(self.methods[1].name))

    @unittest.skipUnless(shutil.which("llvm-mca"), "llvm-mca is not installed")
    def test_models_read_the_code(self):
        code = [f"vfmadd231ps zmm{i}, zmm20, dword ptr [rdx+0x{64 * i:02X}] {{1to16}}" for i in range(16)] + self.found[0].code[-3:]
        self.assertAlmostEqual(8, loops.cycles("llvm-mca", code, "skylake-avx512"), delta=1)
        self.assertGreater(loops.cycles("llvm-mca", self.found[0].code, "haswell"), 0)


if __name__ == "__main__":
    unittest.main()

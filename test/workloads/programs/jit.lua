-- SPDX-License-Identifier: Apache-2.0
-- Traces that are compiled, with host calls through the FFI in the middle of them.
local ffi = require("ffi")
ffi.cdef [[int getppid(void); int usleep(unsigned); long syscall(long, ...);]]
local parent, wrong, sum = ffi.C.getppid(), 0, 0
for round = 1, 30 do
  for i = 1, 20000 do
    sum = (sum * 31 + i) % 1000003
    if i % 10 == 0 and ffi.C.getppid() ~= parent then wrong = wrong + 1 end
    if i % 1000 == 0 and ffi.C.syscall(110) ~= parent then wrong = wrong + 1 end
  end
  local f = loadstring("return function(x) for i = 1, 1000 do x = (x * " .. round .. " + i) % 65537 end return x end")()
  for _ = 1, 100 do sum = sum + f(round) end
end
print(sum, wrong, (require("jit").status()))

// SPDX-License-Identifier: Apache-2.0

// Goroutines that never yield: only the runtime's preemption signals let others run. With raw
// system calls, which Go's runtime makes by itself, and collections in between.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func spin(stop *atomic.Bool, sum *uint64) {
	for i := uint64(0); !stop.Load(); i++ {
		*sum += i ^ *sum>>3
	}
}

func main() {
	runtime.GOMAXPROCS(2)
	var stop atomic.Bool
	var sums [6]uint64
	var group sync.WaitGroup
	for i := range sums {
		group.Add(1)
		go func() { defer group.Done(); spin(&stop, &sums[i]) }()
	}
	parent := os.Getppid()
	wrong, kept := 0, make([][]byte, 64)
	for end, i := time.Now().Add(1500*time.Millisecond), 0; time.Now().Before(end); i++ {
		kept[i%64] = make([]byte, 1<<16)
		if number, _, _ := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0); int(number) != parent {
			wrong++
		}
		if i%100 == 0 {
			runtime.GC()
		}
		if i%7 == 0 {
			time.Sleep(50 * time.Microsecond)
		}
	}
	stop.Store(true)
	group.Wait()
	for _, sum := range sums {
		if sum == 0 {
			wrong++
		}
	}
	fmt.Println("wrong:", wrong)
}

// SPDX-License-Identifier: Apache-2.0

// Goroutines, processes, files, signals, a Unix socket, timers.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

func goroutines() {
	var group sync.WaitGroup
	results := make(chan int, 1000)
	for i := 0; i < 1000; i++ {
		group.Add(1)
		go func(n int) {
			defer group.Done()
			time.Sleep(time.Millisecond)
			results <- n
		}(i)
	}
	group.Wait()
	close(results)
	sum := 0
	for n := range results {
		sum += n
	}
	runtime.GC()
	fmt.Println("goroutines", sum)
}

func processes() {
	out, err := exec.Command("sh", "-c", "echo hello; exit 3").Output()
	fmt.Printf("exec %q %v\n", out, err)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func() { defer group.Done(); exec.Command("true").Run() }()
	}
	group.Wait()
	_, err = exec.LookPath("nosuch")
	fmt.Println("look", err != nil)
}

func files() string {
	folder, err := os.MkdirTemp("", "tour")
	check(err)
	for i := 0; i < 50; i++ {
		check(os.WriteFile(filepath.Join(folder, fmt.Sprint("f", i)), make([]byte, i), 0o600))
	}
	entries, err := os.ReadDir(folder)
	check(err)
	_, err = os.Stat("/nosuch")
	fmt.Println("files", len(entries), os.IsNotExist(err))
	return folder
}

func sockets(folder string) {
	listener, err := net.Listen("unix", filepath.Join(folder, "socket"))
	check(err)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	c, err := net.Dial("unix", listener.Addr().String())
	check(err)
	fmt.Fprint(c, "echoed")
	c.(*net.UnixConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	fmt.Println("socket", string(answer))
	listener.Close()
}

func main() {
	goroutines()
	processes()
	folder := files()
	defer os.RemoveAll(folder)
	sockets(folder)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("signal", <-signals)
	select {
	case <-time.After(20 * time.Millisecond):
		fmt.Println("timer")
	}
	defer func() { fmt.Println("recovered", recover()); os.RemoveAll(folder); os.Exit(4) }()
	var nothing *int
	*nothing = 1
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

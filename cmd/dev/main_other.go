//go:build !unix

// Command dev is the developer's tool. It needs Linux or macOS.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "dev runs on Linux and macOS. On Windows run it inside WSL2: https://learn.microsoft.com/windows/wsl/install")
	os.Exit(1)
}

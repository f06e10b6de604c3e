package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"bareed/migrations"
)

// version is stamped by the linker (-X main.version=…); a build without it
// tells the commit the Go command saw.
var version string

func runVersion(context.Context, []string) error {
	v := version
	info, ok := debug.ReadBuildInfo()
	if v == "" && ok {
		v = info.Main.Version
	}
	fmt.Printf("bareed %s, schema %d, %s\n", v, migrations.Newest(), info.GoVersion)
	return nil
}

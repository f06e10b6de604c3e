//go:build unix

package main

import (
	"context"
	"fmt"
	"os"

	"bareed/api"
)

// description is the API's OpenAPI document as it is kept in the repository.
const description = "docs/openapi.json"

// openapi writes the description anew from the code; a test fails while the
// file differs from it.
func openapi(_, _ context.Context, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("openapi takes no arguments, not %q", args[0])
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return fmt.Errorf("run this in the top folder of the source: %w", err)
	}
	b, err := api.Describe()
	if err != nil {
		return err
	}
	if err := os.WriteFile(description, b, 0o644); err != nil {
		return fmt.Errorf("write the description: %w", err)
	}
	fmt.Printf("%s: %d KB\n", description, len(b)>>10)
	return nil
}

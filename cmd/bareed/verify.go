package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"bareed/campaigns/certificate/verify"
)

// runVerify checks a certificate. It needs no settings, no database and no
// network.
func runVerify(_ context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: bareed verify FILE (- for standard input)", errUsage)
	}
	in := io.Reader(os.Stdin)
	if args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	r, err := verify.Read(in)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	fmt.Print(r.Text())
	if !r.Good() {
		return errors.New("the certificate does not hold")
	}
	return nil
}

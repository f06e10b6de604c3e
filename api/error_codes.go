package api

import (
	"context"

	"bareed/accounts"
	"bareed/api/front"
	"bareed/whatsapp/codes"
)

// errorCodes is Meta's whole error table as this program carries it out.
type errorCodes struct {
	Data []codes.ErrorCode `json:"data"`
}

func (s *Server) errorCodeRoutes() {
	add(s, "GET /v1/error-codes", s.getErrorCodes)
}

func (s *Server) getErrorCodes(ctx context.Context, _ accounts.Actor, _ *empty) (*reply[errorCodes], error) {
	return &reply[errorCodes]{Body: errorCodes{Data: codes.All(front.Lang(ctx))}}, nil
}

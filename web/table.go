package web

import "bareed/web/front"

// Routes is the table of pages, for those who open every one of them.
func Routes() []front.Route { return routes() }

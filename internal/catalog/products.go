package catalog

// seed is what hangs on the rail of a new shop, in the order of the shop
// window. One product is sold out and one has three left, so that both can be
// seen without buying the shop empty.
var seed = []Product{
	{
		Slug: "camel-overcoat", Name: "Camel Overcoat", Category: "Coats", Price: 429_00, Stock: 48,
		Description: "A long single-breasted coat in soft brushed camel, with a notch lapel and three horn buttons. It goes over a suit on Monday and over anything at all on Sunday.",
	},
	{
		Slug: "navy-peacoat", Name: "Navy Peacoat", Category: "Coats", Price: 289_00, Stock: 64,
		Description: "Dense navy melton, six brass buttons and a collar that turns up against the wind. The red lining is between you and the cloakroom.",
	},
	{
		Slug: "yellow-raincoat", Name: "Yellow Raincoat", Category: "Coats", Price: 149_00, Stock: 80,
		Description: "A hooded raincoat in harbour yellow that snaps shut from chin to knee. Puddles are optional, but you will be tempted.",
	},
	{
		Slug: "stone-trench", Name: "Stone Trench Coat", Category: "Coats", Price: 349_00, Stock: 36,
		Description: "Double-breasted gabardine the colour of wet sandstone, with a storm flap, shoulder straps and a belt that is never pulled quite straight. It makes any street corner look like a rendezvous.",
	},
	{
		Slug: "green-duffle", Name: "Green Duffle Coat", Category: "Coats", Price: 259_00, Stock: 40,
		Description: "Heavy bottle-green wool with a deep hood and four toggles that close with mittens on. The patch pockets take a book each.",
	},
	{
		Slug: "rust-puffer", Name: "Rust Puffer Jacket", Category: "Coats", Price: 219_00, Stock: 55,
		Description: "A short quilted jacket, light as a pillow and about as warm as staying in bed. It needs a broad hanger and gives a good hug.",
	},
	{
		Slug: "check-coat", Name: "The Check Coat", Category: "Coats", Price: 389_00, Stock: 3,
		Description: "Our house coat, in grey tweed with a wine-red overcheck and a velvet collar. Yes, it is a check coat at the coat check; we had to.",
	},
	{
		Slug: "shearling-jacket", Name: "Shearling Jacket", Category: "Coats", Price: 649_00, Stock: 0,
		Description: "Chestnut hide outside, cream fleece inside, and a collar that could keep a pilot warm. Nobody who tried it on gave it back.",
	},
	{
		Slug: "lambswool-scarf", Name: "Lambswool Scarf", Category: "Accessories", Price: 59_00, Stock: 72,
		Description: "Long enough to go round twice, in claret with a stripe at each end. Tuck it into the sleeve when you hand over your coat, as they do in the good houses.",
	},
	{
		Slug: "felt-fedora", Name: "Felt Fedora", Category: "Accessories", Price: 119_00, Stock: 24,
		Description: "Charcoal felt with a pinched crown and a wine-red band. Lift it to people you like.",
	},
	{
		Slug: "leather-gloves", Name: "Leather Gloves", Category: "Accessories", Price: 89_00, Stock: 30,
		Description: "Chestnut leather, stitched along the back by a steady hand and closed with one brass stud. They are sold as a pair, and we hope that they stay one.",
	},
	{
		Slug: "stick-umbrella", Name: "Stick Umbrella", Category: "Accessories", Price: 79_00, Stock: 42,
		Description: "A dark green canopy on a straight stick, with a bent wood handle that hangs from any rail. The umbrella most likely to be left behind, and the first to be missed.",
	},
	{
		Slug: "ribbed-beanie", Name: "Ribbed Beanie", Category: "Accessories", Price: 39_00, Stock: 60,
		Description: "A thick mustard knit with a deep turn-up and a bobble of some consequence. It fits in the pocket of every coat we have.",
	},
	{
		Slug: "cedar-hanger", Name: "Cedar Hanger", Category: "Accessories", Price: 24_00, Stock: 12,
		Description: "Broad-shouldered cedar with a brass hook, for the coat that deserves better than a chair. Comes with its own numbered tag.",
	},
}

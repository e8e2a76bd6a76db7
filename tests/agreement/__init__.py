"""What ASE, MDAnalysis and OVITO make of the files of the collection, beside what we make of them."""

#include "crds/forecast.h"

#include "base/field_codec.h"

INSTANTIATE_FIELDS(atelier::crds::ForecastStatus<atelier::crds::ForecastStep>);
INSTANTIATE_FIELDS(atelier::crds::ForecastStatus<std::string>);
